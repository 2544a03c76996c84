/// Element types of tensors, by their safetensors names. All are stored little-endian.
public enum DataType: String, Hashable, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case uint16 = "U16"
    case int16 = "I16"
    case uint32 = "U32"
    case int32 = "I32"
    case uint64 = "U64"
    case int64 = "I64"
    /// Read and written as raw bytes only.
    case bfloat16 = "BF16"
    /// Read and written as raw bytes only.
    case float16 = "F16"
    case float32 = "F32"
    case float64 = "F64"

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .bfloat16, .float16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        }
    }
}

/// A Swift type that tensors are made of.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var dataType: DataType { get }
}

extension UInt8: TensorElement { public static var dataType: DataType { .uint8 } }
extension Int8: TensorElement { public static var dataType: DataType { .int8 } }
extension UInt16: TensorElement { public static var dataType: DataType { .uint16 } }
extension Int16: TensorElement { public static var dataType: DataType { .int16 } }
extension UInt32: TensorElement { public static var dataType: DataType { .uint32 } }
extension Int32: TensorElement { public static var dataType: DataType { .int32 } }
extension UInt64: TensorElement { public static var dataType: DataType { .uint64 } }
extension Int64: TensorElement { public static var dataType: DataType { .int64 } }
extension Float: TensorElement { public static var dataType: DataType { .float32 } }
extension Double: TensorElement { public static var dataType: DataType { .float64 } }

#if _endian(big)
    #error("tensors are mapped as they lie on disk, little-endian")
#endif
