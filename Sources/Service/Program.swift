public import ArgumentParser
import Foundation
import RPC

/// How every executable of the project begins and ends.
public enum Program {
    /// Exit code for input that cannot be used: flags, files, configuration.
    public static let badInput: Int32 = 2

    /// Parses the command line, runs the command, and exits: 0 when it worked or help was asked for, 2 with one line on
    /// standard error that says what was wrong. A command that throws `ExitCode` chooses its own.
    public static func run<Root: AsyncParsableCommand>(_ root: Root.Type) async -> Never {
        // A reader that goes away must not end a server; writes report it as an error.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try root.parseAsRoot(joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst())))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch  where root.exitCode(for: error) == .success {
            print(root.fullMessage(for: error))
            exit(0)
        } catch {
            complain(root._commandName, message(of: error, in: root))
            exit(badInput)
        }
    }

    /// Writes "program: message" to standard error, on one line.
    public static func complain(_ program: String, _ message: String) {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        FileHandle.standardError.write(Data("\(program): \(line)\n".utf8))
    }

    /// `--latitude -33.9` as `--latitude=-33.9`: on its own the parser takes the number for an option.
    package static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if let option = joined.last, option.hasPrefix("--"), option.count > 2, !option.contains("="),
                argument.hasPrefix("-"), Double(argument) != nil
            {
                joined[joined.count - 1] = "\(option)=\(argument)"
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    private static func message<Root: ParsableCommand>(of error: any Error, in root: Root.Type) -> String {
        // A call's cause is for logs: its message already says what happened.
        if let error = error as? RPCError { return "\(error.code.name): \(error.message)" }
        // The parser's own errors are only readable through the parser; ours describe themselves.
        let parsed = root.message(for: error)
        return parsed.isEmpty ? "\(error)" : parsed
    }
}
