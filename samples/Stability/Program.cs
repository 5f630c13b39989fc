using Stability.Commands;

return await new Cli(Console.Error).Run(args);
