import Kernels

/// The names of a generated world, all invented: nothing in it is a real place, person or brand.
enum Words {
    static let surfaces = ["home", "discover"]
    static let devices = ["phone", "tablet", "desktop"]
    static let ages = ["13-17", "18-24", "25-34", "35-44", "45-54", "55+"]
    static let cities = [
        "Aldermoor", "Brightwater", "Calder Bay", "Dunvale", "Eastmere", "Fennwick", "Glasshaven", "Harrowgate Hill",
        "Ilmouth", "Juniper Falls", "Kestrel Point", "Larkfield", "Millbrook", "Northreach", "Oakhollow", "Port Sorrel",
        "Quarry Bank", "Redcliff", "Saltmarsh", "Thornbury Cross",
    ]

    /// What items are about, and the things they speak of.
    static let categories: [(name: String, nouns: [String])] = [
        ("music", ["guitar riffs", "piano ballads", "choir rehearsals", "vinyl finds", "drum solos", "street bands"]),
        ("cooking", ["noodle soups", "sourdough loaves", "pickles", "one-pan dinners", "market stalls", "dumplings"]),
        ("comedy", ["office pranks", "sketches", "puns", "awkward dinners", "stand-up nights", "talking dogs"]),
        ("travel", ["night trains", "hill towns", "island ferries", "hostels", "border crossings", "harbours"]),
        ("games", ["speed runs", "boss fights", "board games", "puzzle rooms", "chess endings", "pixel worlds"]),
        ("fitness", ["morning runs", "stretching routines", "deadlifts", "bike climbs", "rest days", "swim drills"]),
        ("animals", ["rescue cats", "river otters", "sheepdogs", "owls", "parrots", "elephants"]),
        ("fashion", ["thrift finds", "winter coats", "hand-knit jumpers", "sneakers", "hats", "wedding outfits"]),
        ("science", ["black holes", "slime moulds", "volcanoes", "fossils", "lab mistakes", "weather balloons"]),
        ("technology", ["home servers", "old phones", "robot arms", "keyboards", "solar panels", "tiny computers"]),
        (
            "football",
            ["last-minute goals", "free kicks", "goalkeepers", "derby days", "penalty shoot-outs", "youth teams"]
        ),
        ("art", ["ink drawings", "murals", "clay pots", "colour studies", "portrait sittings", "paper cuts"]),
        ("books", ["crime novels", "short stories", "library vans", "poems", "fantasy maps", "first editions"]),
        ("film", ["car chases", "silent films", "plot twists", "film scores", "closing shots", "monster suits"]),
        ("gardening", ["tomato beds", "balcony herbs", "compost heaps", "rose cuttings", "allotments", "greenhouses"]),
        ("cars", ["rally stages", "rusty vans", "electric hatchbacks", "engine swaps", "road trips", "pit stops"]),
        ("history", ["shipwrecks", "castle kitchens", "lost cities", "letters home", "trade routes", "coins"]),
        (
            "parenting",
            ["bedtime stories", "school runs", "lunch boxes", "first steps", "rainy afternoons", "toy repairs"]
        ),
        ("money", ["household budgets", "first salaries", "flea markets", "savings plans", "small shops", "pensions"]),
        ("crafts", ["wooden spoons", "quilts", "leather wallets", "candle pours", "model railways", "lamp shades"]),
        (
            "dance",
            ["tango lessons", "street battles", "ballet classes", "wedding dances", "tap routines", "folk steps"]
        ),
        ("outdoors", ["summit camps", "canoe trips", "forest trails", "ice swims", "cave walks", "campfires"]),
        ("languages", ["dialects", "tongue twisters", "sign language", "loan words", "alphabets", "proverbs"]),
        ("sky", ["meteor showers", "moon phases", "northern lights", "telescopes", "comets", "star maps"]),
    ]

    private static let adjectives = [
        "quiet", "forgotten", "impossible", "homemade", "perfect", "strange", "golden", "tiny", "brave", "late-night",
        "honest", "unlikely", "early", "famous", "patient", "wild",
    ]
    private static let numbers = ["Three", "Five", "Seven", "Nine", "Ten", "Twelve", "Twenty"]

    /// A title that an item of the category might have.
    static func title(category: Int, _ random: inout SeededGenerator) -> String {
        func pick(_ words: [String], _ random: inout SeededGenerator) -> String {
            words[random.index(below: words.count)]
        }
        let noun = pick(categories[category].nouns, &random)
        let adjective = pick(adjectives, &random)
        let city = pick(cities, &random)
        switch random.index(below: 7) {
        case 0: return "\(pick(numbers, &random)) \(adjective) \(noun) from \(city)"
        case 1: return "The \(adjective) \(noun) of \(city)"
        case 2: return "A beginner's guide to \(noun)"
        case 3: return "Why \(city) loves \(adjective) \(noun)"
        case 4: return "\(pick(numbers, &random)) things nobody tells you about \(noun)"
        case 5: return "One day, one hundred \(noun)"
        default: return "\(adjective.prefix(1).uppercased())\(adjective.dropFirst()) \(noun), explained"
        }
    }
}
