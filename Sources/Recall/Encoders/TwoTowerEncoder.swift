import Models

extension ChannelEncoderLoader {
    public static let twoTower = ChannelEncoderLoader(name: ChannelName.twoTower, component: "two-tower") {
        TwoTowerEncoder(net: try TwoTowerUserNet($0, items: $1.items, itemIndex: $1.index))
    }
}

/// The user tower: the input's vector is the user's, of unit length.
struct TwoTowerEncoder: ChannelEncoder {
    let net: TwoTowerUserNet

    func input(for user: RecallUser) -> ChannelInput {
        ChannelInput(vector: net.vector(of: user.state))
    }
}
