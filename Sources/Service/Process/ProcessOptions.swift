public import ArgumentParser
public import Logging

/// Flags that every process of the cluster takes.
public struct ProcessOptions: ParsableArguments {
    @Option(help: "The cluster's configuration (YAML).")
    public var config: String

    @Option(help: "Least severe messages to log: trace, debug, info, notice, warning, error or critical.")
    public var logLevel: Logger.Level = .info

    public init() {}
}

// Another version of either package that declares this conformance would be an error at build time, not a surprise.
extension Logger.Level: @retroactive ExpressibleByArgument {}
