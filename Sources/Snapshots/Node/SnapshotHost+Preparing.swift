import Blobs
import Logging
import Synchronization

extension SnapshotHost {
    public func prepare(_ version: String) async throws(SnapshotError) -> PreparedSnapshot {
        let preparation = try state.withLock { (state) throws(SnapshotError) -> Preparation? in
            // Wanted again while its last requests end: it need not be loaded anew.
            if let draining = state.retiring.removeValue(forKey: version) { state.versions[version] = draining }
            if state.versions[version] != nil { return nil }
            if let running = state.preparation {
                guard running.version == version else {
                    throw SnapshotError(
                        .conflict, "snapshot \(running.version) is being prepared; \(version) must wait")
                }
                return running
            }
            // Not a child of the caller's task: a caller that goes away must not leave the work half done.
            let task = Task(executorPreference: background) { await self.prepareNow(version) }
            let preparation = Preparation(version: version, task: task)
            state.preparation = preparation
            return preparation
        }
        guard let preparation else { return PreparedSnapshot(version: version) }
        return try await preparation.task.value.get()
    }

    private func prepareNow(_ version: String) async -> Result<PreparedSnapshot, SnapshotError> {
        let started = ContinuousClock.now
        do throws(SnapshotError) {
            let manifest = try await manifest(version)
            var report = PreparedSnapshot(version: version)
            let components = try configuration.filter.select(manifest)
            try requireRoom(for: components, version)
            for component in components { try await obtain(component, version, &report) }
            let snapshot = try open(manifest, components)
            report.duration = started.duration(to: .now)
            state.withLock {
                $0.versions[version] = snapshot
                $0.preparation = nil
            }
            return .success(report)
        } catch {
            let refusal = "snapshot \(version) was refused: \(error.message)"
            state.withLock {
                $0.preparation = nil
                $0.refusal = refusal
            }
            logger.error("\(refusal)")
            return .failure(error)
        }
    }

    /// The manifest from this node's disk, else from the source; checked either way.
    private func manifest(_ version: String) async throws(SnapshotError) -> SnapshotManifest {
        if let signed = try cache.signedManifest(version) {
            do throws(SnapshotError) {
                return try signed.verified(
                    by: configuration.publicKey, version: version,
                    origin: "\(cache.directory)/manifests/\(version).json")
            } catch  where error.code == .corrupt && source != nil {
                logger.error("\(error.message); it will be fetched again")
            }
        }
        guard let source else {
            throw SnapshotError(.missing, "snapshot \(version) is not on this machine, and there is no source to ask")
        }
        let signed = try await source.manifest(version)
        let manifest = try signed.verified(
            by: configuration.publicKey, version: version, origin: "snapshot-server")
        try cache.save(signed, version: version)
        return manifest
    }

    /// Refuses early what would fill the disk or the memory.
    private func requireRoom(for components: [SnapshotComponent], _ version: String) throws(SnapshotError) {
        let disk = cache.missingBytes(components)
        let free = try files { () throws(BlobError) in try FileSystem.freeBytes(at: cache.directory) }
        guard disk == 0 || free >= disk + configuration.diskReserve else {
            throw SnapshotError(
                .insufficientResources,
                "snapshot \(version) needs \(disk) bytes of disk and \(configuration.diskReserve) to spare; "
                    + "\(cache.directory) has \(free)")
        }
        let shared = state.withLock { Set($0.versions.values.flatMap(\.manifest.components).map(\.sha256)) }
        let size = components.filter { !shared.contains($0.sha256) }.reduce(0) { $0 + $1.size }
        let memory = Int(Double(size) * configuration.memoryFactor)
        if let available = SystemMemory.availableBytes(), available < memory {
            throw SnapshotError(
                .insufficientResources,
                "snapshot \(version) needs \(memory) bytes of memory; \(available) are available")
        }
    }

    /// Makes sure that a component's file is here and is what the manifest says.
    private func obtain(
        _ component: SnapshotComponent, _ version: String, _ report: inout PreparedSnapshot
    ) async throws(SnapshotError) {
        if cache.has(component) {
            do throws(SnapshotError) {
                try checkOnce(component, version)
                report.reusedBytes += component.compressedSize
                return
            } catch  where error.code == .corrupt && source != nil {
                logger.error("\(error.message); it will be fetched again")
            }
        }
        guard let source else {
            throw SnapshotError(
                .missing,
                "snapshot \(version): component \(component.name) is not on this machine, and there is no source to ask"
            )
        }
        let fetch = ComponentFetch(
            component: component, version: version, cache: cache, source: source, limits: configuration.fetch,
            executor: background)
        report.fetchedBytes += try await fetch.run()
        state.withLock { _ = $0.checked.insert(component.sha256) }
    }

    /// Compares a file with its hash, the first time this process uses it.
    private func checkOnce(_ component: SnapshotComponent, _ version: String) throws(SnapshotError) {
        guard !state.withLock({ $0.checked.contains(component.sha256) }) else { return }
        try cache.check(component, version: version)
        state.withLock { _ = $0.checked.insert(component.sha256) }
    }

    /// Maps the files, loads what the process serves from, and warms it up.
    private func open(
        _ manifest: SnapshotManifest, _ components: [SnapshotComponent]
    ) throws(SnapshotError) -> PinnedSnapshot<Loaded> {
        let files = try files { () throws(BlobError) in
            var files: [String: SafetensorsFile] = [:]
            for component in components {
                let file = try SafetensorsFile(path: cache.componentPath(component))
                file.populate()
                files[component.name] = file
            }
            return files
        }
        do {
            let value = try load(OpenSnapshot(manifest: manifest, components: files))
            try warmUp(value)
            return PinnedSnapshot(manifest: manifest, value: value)
        } catch let error as SnapshotError {
            throw error
        } catch {
            throw SnapshotError(
                .corrupt, "snapshot \(manifest.version) could not be loaded: \(error)", cause: error)
        }
    }
}
