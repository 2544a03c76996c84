// swift-tools-version: 6.2

import PackageDescription

// Targets are listed layer by layer; a target may depend only on targets of a lower layer.
// scripts/check-layers.py reads the "// layer N" lines and holds the package to that rule.

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

// The path of every call: checks of exclusive access at run time cost 7 % of its instructions. Debug builds keep them.
let hotPath: [SwiftSetting] =
    settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

// Executables carry the Swift runtime: a call costs a tenth less without the indirection of shared libraries, and a machine
// that only runs the cluster needs no Swift.
let staticRuntime = LinkerSetting.unsafeFlags(
    [
        "-static-stdlib", "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims", "-l_FoundationCollections",
    ], .when(configuration: .release))

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

func library(
    _ name: String, _ dependencies: [Target.Dependency], _ swiftSettings: [SwiftSetting] = settings
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func executable(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, runtime: [LinkerSetting] = [staticRuntime]
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + [arguments, logging], path: path, swiftSettings: settings,
        linkerSettings: runtime)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "tributary",
    products: [
        .executable(name: "orchestrator", targets: ["orchestrator"]),
        .executable(name: "ranker", targets: ["ranker"]),
        .executable(name: "recall-shard", targets: ["recall-shard"]),
        .executable(name: "snapshot-server", targets: ["snapshot-server"]),
        .executable(name: "trainer", targets: ["trainer"]),
        .executable(name: "tributary", targets: ["tributary"]),
        .executable(name: "loadgen", targets: ["loadgen"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // layer 0: C libraries
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CMessages", dependencies: ["CProtobufC"]),
        .target(name: "CKernels"),
        .target(name: "CAllocations", path: "Benchmarks/allocations/CAllocations"),
        // layer 1: kernels, compression, hashing
        library("Kernels", ["CKernels"]),
        library("Compression", ["CZstd", "CZlib"]),
        library("Hashing", ["CXXHash", "CCrypto"]),
        // layer 2: RPC and files
        library("RPC", ["CNghttp2", "Kernels", "Compression", nioCore, nioPosix, nioSSL, logging], hotPath),
        library("Blobs", ["Kernels", "Compression", "Hashing"]),
        // layer 3: messages and the domain
        library("Messages", ["RPC", "Kernels", "CProtobufC", "CMessages"], hotPath),
        library("Catalog", ["Kernels", "Hashing", "Blobs"]),
        library("Networks", ["Kernels", "Blobs"]),
        library("Inference", ["Kernels", "Blobs"], hotPath),
        library("VectorIndex", ["Kernels", "Blobs"]),
        // layer 4: features and snapshots
        library("Features", ["Catalog", "Kernels", "Networks"], hotPath),
        library("Snapshots", ["Blobs", "Hashing", "Compression", "Messages", "RPC", "Kernels", logging]),
        // layer 5: models and user state
        library("Models", ["Features", "Networks", "Inference", "Catalog", "Kernels", "Blobs"], hotPath),
        library("FeatureStore", ["Catalog", "Features", "Blobs", "Kernels"]),
        // layer 6: stages
        library("Recall", ["VectorIndex", "Models", "Catalog", "Blobs", "Kernels"]),
        library("Ranking", ["Models", "Features", "Networks", "Inference", "Catalog", "Blobs", "Kernels"], hotPath),
        library("Evaluation", ["Models", "Features", "Catalog", "Kernels"]),
        library("Simulation", ["Catalog", "Kernels"]),
        // layer 7: whole pipelines: offline training, online orchestration
        library(
            "Training",
            [
                "Models", "Features", "Networks", "Inference", "Recall", "Ranking", "Evaluation", "Catalog",
                "FeatureStore", "VectorIndex", "Snapshots", "Blobs", "Kernels", "Hashing",
            ]),
        library(
            "Orchestration",
            [
                "Recall", "Ranking", "Models", "Features", "FeatureStore", "Catalog", "Snapshots", "Messages", "RPC",
                "Blobs", "Kernels", logging,
            ]),
        // layer 8: process frame
        library(
            "Service",
            [
                "Models", "RPC", "Messages", "Snapshots", "Blobs", "Kernels", arguments, yams, lifecycle, signals,
                logging,
            ]),
        // layer 9: executables
        executable("orchestrator", ["Service", "Orchestration", "Ranking", "FeatureStore", "Recall", "Snapshots"]),
        executable("ranker", ["Service", "Orchestration", "Ranking", "Snapshots"]),
        executable("recall-shard", ["Service", "Orchestration", "Recall", "Snapshots", "Blobs"]),
        executable("snapshot-server", ["Service", "Snapshots", "RPC"]),
        executable("trainer", ["Service", "Training", "Models", "Catalog", "Simulation", "Snapshots", "Evaluation"]),
        executable(
            "tributary",
            [
                "Service", "Training", "Models", "Features", "Messages", "RPC", "Snapshots", "Blobs",
                "Catalog", "Simulation",
            ]),
        // Its tests link it, and tests share the runtime's libraries.
        executable("loadgen", ["Service", "Messages", "RPC", "Catalog", "Kernels", histogram], runtime: []),
        executable(
            "recall-bench",
            ["Recall", "VectorIndex", "Catalog", "Blobs", "Kernels"],
            path: "Benchmarks/recall/recall-bench"),
        executable(
            "snapshot-fetch", ["Service", "Snapshots", "RPC", "Blobs", "Kernels"],
            path: "Benchmarks/snapshot-fetch/Tool"),
        executable(
            "matrix-bench", ["Recall", "Models", "Blobs", "Kernels"], path: "Benchmarks/matrix/matrix-bench"),
        executable(
            "training-bench", ["Models", "Features", "Networks", "Blobs", "Kernels"],
            path: "Benchmarks/training/training-bench"),
        executable(
            "ctr-bench", ["Evaluation", "Models", "Features", "Networks", "Kernels"], path: "Benchmarks/ctr/ctr-bench"),
        executable(
            "rank-bench",
            [
                "Service", "Orchestration", "Ranking", "Models", "Features", "Networks", "Simulation", "Snapshots",
                "Catalog", "Messages", "RPC", "Blobs", "Kernels",
            ], path: "Benchmarks/rank/rank-bench"),
        executable("nets-bench", ["Inference", "Blobs", "Kernels"], path: "Benchmarks/nets/nets-bench"),
        executable(
            "allocation-bench",
            [
                "Training", "Recall", "Ranking", "Simulation", "Snapshots", "Models", "Features", "Networks",
                "VectorIndex", "Catalog", "Blobs", "Kernels", "CAllocations",
            ],
            path: "Benchmarks/allocations/allocation-bench"),
        executable(
            "vectors-bench",
            ["VectorIndex", "FeatureStore", "Models", "Catalog", "Snapshots", "Blobs", "Kernels"],
            path: "Benchmarks/vectors/vectors-bench"),
        executable("rpc-echo", ["Service", "RPC", "Messages", "Kernels"], path: "Tests/rpc-echo"),

        // tests
        tests("KernelsTests", ["Kernels"]),
        tests("CompressionTests", ["Compression", "Hashing"]),
        tests("RPCTests", ["RPC", "Messages", "Kernels", nioCore, nioEmbedded, nioPosix, nioSSL, logging]),
        tests("MessagesTests", ["Messages", "RPC", "Kernels"]),
        tests("BlobsTests", ["Blobs", "Kernels", "Hashing"], exclude: ["Golden"]),
        tests("CatalogTests", ["Catalog", "Blobs", "Kernels", "Simulation"]),
        tests(
            "NetworksTests", ["Networks", "Kernels", "Blobs"],
            exclude: ["golden", "make_golden.py", "make_blocks.py"]),
        tests("InferenceTests", ["Inference", "Kernels", "Blobs"], exclude: ["golden", "make_golden.py"]),
        tests("VectorIndexTests", ["VectorIndex", "Kernels", "Blobs"]),
        tests("SnapshotsTests", ["Snapshots", "Blobs", "Messages", "RPC", "Hashing", "Kernels", logging]),
        tests(
            "ModelsTests", ["Models", "Features", "Networks", "Inference", "Catalog", "Kernels", "Blobs"],
            exclude: ["Resources"]),
        tests(
            "RecallTests", ["Recall", "Models", "VectorIndex", "Catalog", "Kernels", "Blobs"],
            exclude: ["golden", "make_golden.py"]),
        tests("RankingTests", ["Ranking", "Models", "Features", "Networks", "Catalog", "Kernels", "Blobs"]),
        tests(
            "TrainingTests",
            [
                "Training", "Evaluation", "Ranking", "Models", "Features", "Networks", "VectorIndex", "Catalog",
                "Simulation", "Snapshots", "Blobs", "Kernels",
            ],
            exclude: ["Resources"]),
        tests("FeatureStoreTests", ["FeatureStore", "Catalog", "Blobs", "Kernels"]),
        tests(
            "OrchestrationTests",
            [
                "Orchestration", "Recall", "Ranking", "FeatureStore", "Catalog", "Snapshots", "Messages", "RPC",
                "Kernels", "Blobs", logging,
            ]),
        tests("ServiceTests", ["Service", "Models", "RPC", "Messages", "Kernels", "Snapshots", logging]),
        tests("LoadgenTests", ["loadgen", "Kernels"]),
        tests("ClusterTests", []),
    ],
    swiftLanguageModes: [.v6]
)
