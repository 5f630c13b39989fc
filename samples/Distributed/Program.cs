using Distributed.Commands;

return await new Cli(Console.Out, Console.Error).Run(args);
