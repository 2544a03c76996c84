package import Blobs
public import Catalog
import Foundation
public import Models
public import Snapshots

/// The two-tower model of a full training run, for another one to go on from.
///
/// An incremental update is never gone on from: of one, the full run that it started from is taken.
public struct ContinuedModel: Sendable {
    public let model: TrainedTwoTower
    /// The snapshot it is from, which is no incremental one.
    public let version: String
    /// Milliseconds since 1970 of the last row that it was trained on.
    public let trainedUntil: Int64

    /// - Parameter version: nil is the newest.
    /// - Complexity: O(bytes of the components).
    public init(_ version: String?, in store: SnapshotStore) throws {
        guard let wanted = try version ?? store.versions().last else {
            throw TrainingError(.invalidInput, "--continue-from: no snapshot in \(store.directory)")
        }
        let found = try store.manifest(wanted)
        let manifest = try found.base.map { try store.manifest($0) } ?? found
        let components = StoredComponents(manifest, in: store)
        model = try TrainedTwoTower(
            components.open("two-tower"), state: components.open(TwoTowerState.componentKind))
        self.version = manifest.version
        trainedUntil = manifest.dataUntilMilliseconds
    }

    /// The first row of a log that the model was not trained on.
    ///
    /// - Complexity: O(log rows).
    public func firstNewRow(of log: ExposureTable) -> Int {
        log.firstRow(after: trainedUntil)
    }
}

/// A snapshot's components, unpacked as they are asked for; nothing stays on the disk.
package struct StoredComponents {
    let manifest: SnapshotManifest
    private let store: SnapshotStore

    package init(_ manifest: SnapshotManifest, in store: SnapshotStore) {
        self.manifest = manifest
        self.store = store
    }

    /// The snapshot itself, or the full one that its updates started from.
    func fullRun() throws -> SnapshotManifest {
        try manifest.base.map { try store.manifest($0) } ?? manifest
    }

    /// The component, mapped; its file is unlinked at once and lives as long as it is mapped.
    package func open(_ kind: String) throws -> SafetensorsFile {
        let component = try manifest.component(kind)
        let url = FileManager.default.temporaryDirectory.appending(path: "tributary-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try store.extract(component, of: manifest.version, to: url.path())
        return try SafetensorsFile(path: url.path())
    }
}
