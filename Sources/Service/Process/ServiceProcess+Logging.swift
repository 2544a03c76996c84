public import Logging

extension ServiceProcess {
    /// A logger to standard error; sets the program's logging up and so is called once.
    public static func logger(_ label: String, level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: label)
    }
}
