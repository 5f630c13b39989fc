using OperatorPictures;

return await new Cli(Console.Out, Console.Error).Run(args);
