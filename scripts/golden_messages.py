#!/usr/bin/python3
"""Prints messages as Google's own protobuf runtime (Debian: python3-protobuf) encodes them, one "name type hex" a line.

usage: scripts/golden_messages.py > Tests/Golden/messages.txt
"""

import pathlib
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

PROTOS = pathlib.Path(__file__).resolve().parent.parent / "Protos"

IDS = " ".join(f"items: {(i * 0x9E3779B97F4A7C15) % 2**64}" for i in range(2000))

MESSAGES = [
    ("recommend-request", "tributary.v1.RecommendRequest", r"""
        user_id: "u-\303\274\344\270\255\360\237\230\200" page_size: 300
        exclude_item_ids: ["a", "", "a much longer item id than fifteen bytes"]
        context { key: "surface" value: "home" } context { key: "device" value: "tv" }
        request_id: "r1" """),
    ("string-with-nul", "tributary.v1.RecommendRequest", r'user_id: "a\000b"'),
    ("empty-map-entry", "tributary.v1.RecommendRequest", 'context { key: "" value: "" }'),
    ("empty", "tributary.v1.RecommendRequest", ""),
    ("recommend-response", "tributary.v1.RecommendResponse", r"""
        request_id: "r1" snapshot_version: "v7" user_known: true
        items { item_id: "5" score: 0.25 title: "Five" category: "c" channels: ["itemcf", "popular"]
                predictions: [0.5, -1.5] }
        items { } completeness { shards_asked: 4 shards_answered: 3 missing_channels: "newest" order: ORDER_RECALLED
                reasons: "shard 2: gone" }"""),
    ("unknown-enum", "tributary.v1.Event", 'event_id: "e" kind: 77 time_ms: -1 value: 3.5'),
    ("negative-enum", "tributary.v1.Event", "kind: -3"),
    ("rank-request", "tributary.v1.RankRequest", f"""
        snapshot_version: "v7" limit: 500 scene {{ time_ms: 1700000000000 surface: 3 contexts: [2, 0, 300] }} {IDS}
        user {{ user_key: 18446744073709551615 known: true profile: [0, 1, 127, 128, 300, 4294967295]
               recent_items: [7, 8] recent_times_ms: [-5, 9223372036854775807] recent_actions: [3, 70000]
               recent_watch_seconds: [0.5, 1e30] impressions: 10 clicks: 2 watch_seconds: 1e-3 }}"""),
    ("recall-response", "tributary.v1.RecallResponse", """
        snapshot_version: "v7" shard: 3 shard_count: 4
        channels { channel: "itemcf" items: [1, 2] scores: [0.5, -0.25] microseconds: 12345678901 }
        channels { channel: "two-tower" error: "no vectors" }"""),
    ("blob-chunk", "tributary.v1.BlobChunk", r'data: "\000\001\377"'),
    ("health", "grpc.health.v1.HealthCheckResponse", "status: NOT_SERVING"),
    ("reflection-request", "grpc.reflection.v1.ServerReflectionRequest", 'host: "h" file_containing_symbol: ""'),
    ("reflection-extension", "grpc.reflection.v1.ServerReflectionRequest", """
        file_containing_extension { containing_type: "t" extension_number: -7 }"""),
    ("reflection-response", "grpc.reflection.v1.ServerReflectionResponse", r"""
        valid_host: "h" original_request { list_services: "*" }
        file_descriptor_response { file_descriptor_proto: ["\001\002", "", "\377"] }"""),
]


def main():
    with tempfile.NamedTemporaryFile(suffix=".pb") as file:
        names = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
        subprocess.check_call(["protoc", f"--descriptor_set_out={file.name}", *names], cwd=PROTOS)
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for descriptor in descriptors.file:
        pool.Add(descriptor)
    factory = message_factory.MessageFactory(pool)
    for name, kind, text in MESSAGES:
        message = factory.GetPrototype(pool.FindMessageTypeByName(kind))()
        text_format.Parse(text, message)
        print(name, kind, message.SerializeToString(deterministic=True).hex() or "-")


if __name__ == "__main__":
    main()
