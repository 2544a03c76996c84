import Blobs
import Hashing
import Kernels

/// A process's own directory of components: what it serves from, and restarts from.
///
/// `components/` holds whole files by the SHA-256 of their blobs; `partial/` what is being fetched; `refused/` files that
/// contradicted their manifest, for a person to look at; `manifests/` the versions it knows; `committed.json` the
/// version it serves.
struct NodeCache: Sendable {
    let directory: String

    init(directory: String) throws(SnapshotError) {
        self.directory = directory
        try files { () throws(BlobError) in
            for name in ["components", "partial", "refused", "manifests"] {
                try FileSystem.createDirectory("\(directory)/\(name)")
            }
        }
    }

    func componentPath(_ component: SnapshotComponent) -> String {
        "\(directory)/components/\(component.sha256).safetensors"
    }

    /// What has been unpacked so far: kept over breaks and restarts.
    func partialPath(_ component: SnapshotComponent) -> String {
        "\(directory)/partial/\(component.sha256).safetensors"
    }
    /// How far that is.
    func journalPath(_ component: SnapshotComponent) -> String { "\(directory)/partial/\(component.sha256).journal" }

    func has(_ component: SnapshotComponent) -> Bool { FileSystem.exists(componentPath(component)) }

    /// Reads a component's file and compares it with the manifest; a file that differs is set aside.
    ///
    /// - Complexity: O(size), at the speed of the disk.
    func check(_ component: SnapshotComponent, version: String) throws(SnapshotError) {
        let path = componentPath(component)
        let bytes = try files { () throws(BlobError) in try MappedFile(path).bytes }
        let hash = bytes.withUnsafeBufferPointer { XXH3.hash(UnsafeRawBufferPointer($0)) }.hexadecimal
        guard bytes.count == component.size, hash == component.xxh3 else {
            try setAside(path)
            throw SnapshotError(
                .corrupt,
                "snapshot \(version): component \(component.name): \(path): expected \(component.size) bytes with XXH3-64 "
                    + "\(component.xxh3), found \(bytes.count) with \(hash); it was moved to \(directory)/refused")
        }
    }

    /// Moves a file that contradicts its manifest out of the way.
    func setAside(_ path: String) throws(SnapshotError) {
        let name = path.split(separator: "/").last.map(String.init) ?? "file"
        try files { () throws(BlobError) in try FileSystem.rename(path, to: "\(directory)/refused/\(name)") }
    }

    /// Bytes still to be written to disk before the components are all here.
    func missingBytes(_ components: [SnapshotComponent]) -> Int {
        components.filter { !has($0) }.reduce(0) { $0 + $1.size }
    }

    /// Removes every file that none of the manifests needs.
    func sweep(keeping manifests: [SnapshotManifest]) throws(SnapshotError) {
        let versions = Set(manifests.map(\.version))
        let blobs = Set(manifests.flatMap(\.components).map(\.sha256))
        try files { () throws(BlobError) in
            for folder in ["components", "partial"] {
                for name in try FileSystem.list("\(directory)/\(folder)") where !blobs.contains(Self.stem(name)) {
                    try FileSystem.remove("\(directory)/\(folder)/\(name)")
                }
            }
            for name in try FileSystem.list("\(directory)/manifests") where !versions.contains(Self.stem(name)) {
                try FileSystem.remove("\(directory)/manifests/\(name)")
            }
        }
    }

    /// A file name without the endings this directory uses.
    private static func stem(_ name: String) -> String {
        for suffix in [".safetensors", ".journal", ".json", ".sig"] where name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        return name
    }
}
