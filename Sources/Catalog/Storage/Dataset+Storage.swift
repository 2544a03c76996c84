import Blobs
import Glibc

/// A data set on disk: a directory of safetensors files, replaced as a whole.
extension Dataset {
    private static let fileNames = [
        "users.safetensors", "items.safetensors", "exposures.safetensors", "follows.safetensors",
    ]
    /// Only there when rejected candidates were logged.
    private static let rejectedName = "rejected.safetensors"
    private static let format = "tributary-dataset-2"

    /// Opens a data set and checks every row of it.
    ///
    /// - Complexity: O(rows); the columns stay in the mapped files.
    public init(directory: String) throws(CatalogError) {
        let files = try Self.fileNames.map { (name) throws(CatalogError) in try Self.open("\(directory)/\(name)") }
        let users = try UserTable(files[0])
        let items = try ItemTable(files[1])
        let exposures = try ExposureTable(files[2], users: users.count, items: items.count)
        let follows = try FollowTable(files[3], users: users.count)
        let rejected =
            FileSystem.exists("\(directory)/\(Self.rejectedName)")
            ? try RejectedTable(
                Self.open("\(directory)/\(Self.rejectedName)"), users: users.count, items: items.count)
            : RejectedTable()
        self.init(
            name: files[0].metadata["name"] ?? "", users: users, items: items, exposures: exposures, follows: follows,
            rejected: rejected)
    }

    /// Writes the data set beside `directory` and then puts it in its place, so that what is there is always whole.
    ///
    /// - Throws: `invalidInput` when `directory` holds something else than a data set.
    public func write(to directory: String) throws(CatalogError) {
        let path = Self.withoutTrailingSlashes(directory)
        try Self.checkReplaceable(path)
        let temporary = "\(path).tmp-\(getpid())"
        do {
            try catalogErrors { () throws(BlobError) in try writeFiles(to: temporary) }
            try catalogErrors { () throws(BlobError) in try Self.replace(path, with: temporary) }
        } catch {
            Self.removeFiles(temporary)
            throw error
        }
    }

    /// Throws unless ``write(to:)`` may put a data set at `directory`: nothing is there, or a data set.
    public static func checkReplaceable(_ directory: String) throws(CatalogError) {
        let path = withoutTrailingSlashes(directory)
        guard !path.isEmpty else { throw CatalogError(.invalidInput, "no directory to write the data set to") }
        guard FileSystem.exists(path) else { return }
        guard FileSystem.isDirectory(path) else {
            throw CatalogError(.invalidInput, "\(path): expected a directory, found a file")
        }
        let names = try catalogErrors { () throws(BlobError) in try FileSystem.list(path) }
        if let other = names.first(where: { !(fileNames + [rejectedName]).contains($0) }) {
            throw CatalogError(
                .invalidInput, "\(path) holds \"\(other)\", which is no part of a data set: not replaced")
        }
    }

    private static func open(_ path: String) throws(CatalogError) -> SafetensorsFile {
        let file = try catalogErrors { () throws(BlobError) in try SafetensorsFile(path: path) }
        guard file.metadata["format"] == format else {
            let found = file.metadata["format"].map { "\"\($0.prefix(80))\"" } ?? "none"
            throw CatalogError(
                .corrupt,
                "\(path): metadata \"format\": expected \"\(format)\", found \(found); import or generate it again")
        }
        return file
    }

    private func writeFiles(to directory: String) throws(BlobError) {
        try FileSystem.createDirectory(directory)
        let names = Self.fileNames + (rejected.count > 0 ? [Self.rejectedName] : [])
        var writers = names.map { _ in SafetensorsWriter(metadata: ["format": Self.format, "name": name]) }
        users.add(to: &writers[0])
        items.add(to: &writers[1])
        exposures.add(to: &writers[2])
        follows.add(to: &writers[3])
        if rejected.count > 0 { rejected.add(to: &writers[4]) }
        for (name, writer) in zip(names, writers) { try writer.write(to: "\(directory)/\(name)") }
    }

    private static func replace(_ path: String, with temporary: String) throws(BlobError) {
        guard FileSystem.exists(path) else { return try FileSystem.rename(temporary, to: path) }
        let old = "\(path).old-\(getpid())"
        try FileSystem.rename(path, to: old)
        do {
            try FileSystem.rename(temporary, to: path)
        } catch {
            try FileSystem.rename(old, to: path)
            throw error
        }
        removeFiles(old)
    }

    private static func removeFiles(_ directory: String) {
        for name in fileNames + [rejectedName] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    private static func withoutTrailingSlashes(_ path: String) -> String {
        var path = Substring(path)
        while path.count > 1, path.last == "/" { path.removeLast() }
        return String(path)
    }
}
