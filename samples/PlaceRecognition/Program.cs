using PlaceRecognition.Commands;

return await Cli.Run(args);
