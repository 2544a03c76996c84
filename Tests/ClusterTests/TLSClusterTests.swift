import Foundation
import Testing

/// A cluster whose processes, and the tools that call them, speak mutual TLS by configuration alone.
@Suite struct TLSClusterTests {
    @Test(.timeLimit(.minutes(10)))
    func processesAndToolsSpeakMutualTLS() throws {
        let cluster = try LocalCluster(shards: 1)
        try #require(cluster.lastUp.status == 0, "\(cluster.lastUp.output)\n\(cluster.lastUp.errors)")
        let user = try cluster.sampleUser()
        _ = try Command.run(script: "cluster/down.sh", ["--directory", cluster.directory])

        try Self.makeCertificates(in: cluster.directory)
        let text = try String(contentsOfFile: cluster.configuration, encoding: .utf8)
        let tls = "tls: {certificate: node.pem, key: node.key, authority: ca.pem, client_authority: ca.pem}\n"
        try (text + tls).write(toFile: cluster.configuration, atomically: true, encoding: .utf8)
        let processes = try ["snapshot-server", "recall-shard-0-0", "ranker-0", "orchestrator-0"].map(cluster.start)
        defer { for process in processes { process.terminate() } }

        let status = try Command.run(
            binary: "tributary", ["status", "--config", cluster.configuration, "--wait", "30"])
        #expect(status.status == 0, "\(status.output)\n\(status.errors)")
        let page = try Command.run(
            binary: "tributary", ["recommend", "--json", "--config", cluster.configuration, "--user", user])
        #expect(page.status == 0 && page.output.contains("\"order\" : \"ranked\""), "\(page)")
        let plain = try Command.run(
            binary: "tributary", ["recommend", "--address", cluster.orchestrator, "--user", user, "--timeout", "2000"])
        #expect(plain.status == 2 && plain.output.isEmpty, "\(plain)")
    }

    /// An authority, and one certificate for 127.0.0.1 that every process shows.
    private static func makeCertificates(in directory: String) throws {
        let script = """
            set -e
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=test authority" \
                -keyout ca.key -out ca.pem
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=node" -keyout node.key -out node.csr
            printf 'subjectAltName=IP:127.0.0.1' >node.ext
            openssl x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile node.ext -out node.pem
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CommandFailure(message: "openssl made no certificates") }
    }
}
