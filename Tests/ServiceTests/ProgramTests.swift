import Service
import Testing

@Suite struct ProgramTests {
    @Test(arguments: [
        (["--latitude", "-33.9", "--city", "x"], ["--latitude=-33.9", "--city", "x"]),
        (["items", "add", "--longitude", "-1e2"], ["items", "add", "--longitude=-1e2"]),
        (["--user=a", "-1"], ["--user=a", "-1"]),
        (["--file", "-"], ["--file", "-"]),
        (["--explain", "-h"], ["--explain", "-h"]),
        (["-5", "--", "-5"], ["-5", "--", "-5"]),
    ])
    func negativeNumbersStayWithTheirOptions(arguments: [String], joined: [String]) {
        #expect(Program.joiningNegativeNumbers(arguments) == joined)
    }
}
