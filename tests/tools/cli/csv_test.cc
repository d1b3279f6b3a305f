#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tools/cli/csv_reader.h"
#include "tools/cli/table.h"

namespace smsflow::cli {
namespace {

using testing::ElementsAre;
using Cells = std::vector<std::string>;

// All rows, or the error in the last place.
std::vector<Cells> RowsOf(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  std::vector<Cells> rows;
  for (Cells cells;;) {
    const auto read = reader.Next(cells);
    if (!read.ok()) return rows.push_back({std::string(read.status().message())}), rows;
    if (!*read) return rows;
    rows.push_back(cells);
  }
}

TEST(CsvReader, ReadsQuotesLineBreaksAndBothLineEnds) {
  EXPECT_THAT(RowsOf("\xEF\xBB\xBF"
                     "a,b,c\r\n1,\"x, \"\"y\"\"\nz\",\r\n\n\"\",ü,\"q\"\n"),
              ElementsAre(Cells{"a", "b", "c"}, Cells{"1", "x, \"y\"\nz", ""}, Cells{"", "ü", "q"}));
  EXPECT_THAT(RowsOf("a;b,c;d\n1;2,3;4"), ElementsAre(Cells{"a", "b,c", "d"}, Cells{"1", "2,3", "4"}));
  EXPECT_THAT(RowsOf(""), ElementsAre());
  EXPECT_THAT(RowsOf("a,\r\n"), ElementsAre(Cells{"a", ""}));
}

TEST(CsvReader, NamesTheLineThatIsBroken) {
  EXPECT_THAT(RowsOf("a\n\"b"), ElementsAre(Cells{"a"}, Cells{"line 2, column 1: a quote is never closed"}));
  EXPECT_THAT(
      RowsOf("a\n\"x\ny\",1\n\"b\"c"),
      ElementsAre(Cells{"a"}, Cells{"x\ny", "1"}, Cells{"line 4, column 1: text stands after a closing quote"}));
  EXPECT_THAT(RowsOf(std::string("a\0b", 3)),
              ElementsAre(Cells{"line 1, column 1: holds a zero byte; is this a text file?"}));
  EXPECT_THAT(RowsOf("a\n" + std::string(70'000, 'x')),
              ElementsAre(Cells{"a"}, Cells{"line 2, column 1: a row must be at most 64 KB"}));
}

TEST(CsvReader, IsStrict) {
  EXPECT_THAT(
      RowsOf("a,b\n1,x\"y\n"),
      ElementsAre(Cells{"a", "b"}, Cells{"line 2, column 2: a quote stands within a cell; the whole cell must be "
                                         "quoted, and the quote doubled"}));
  EXPECT_THAT(RowsOf("a\rb\r"),
              ElementsAre(Cells{"line 1, column 1: a carriage return ends no line; lines end in LF or CRLF"}));
  EXPECT_THAT(RowsOf("a\n" + std::string(64, ',') + "\n"),
              ElementsAre(Cells{"a"}, Cells{"line 2, column 65: a row must have at most 64 cells"}));
  EXPECT_THAT(RowsOf(std::string(70'000, 'x')),
              ElementsAre(Cells{"line 1, column 1: a row must be at most 64 KB; is a quote missing?"}));
  EXPECT_THAT(RowsOf("a\n\"" + std::string(70'000, 'x')),
              ElementsAre(Cells{"a"}, Cells{"line 2, column 1: a row must be at most 64 KB; is a quote missing?"}));
  EXPECT_THAT(RowsOf("\xEF\xBB\xBF\r\n\n\na\r\n\r\nb"), ElementsAre(Cells{"a"}, Cells{"b"}));
}

TEST(CsvRow, IsReadBackAsItWas) {
  for (const char separator : {',', ';'}) {
    for (const Cells& cells :
         {Cells{"+255", "=1", "with,comma;too", "with \"quotes\"", "two\r\nlines", ""}, Cells{""}}) {
      const std::string first = separator == ',' ? "a,b\n" : "a;b\n";
      EXPECT_THAT(RowsOf(first + CsvRow(cells, separator)), ElementsAre(Cells{"a", "b"}, cells));
    }
  }
}

TEST(CsvLine, QuotesAndDisarmsFormulas) {
  EXPECT_EQ(CsvLine({"a", "", "b c"}), "a,,b c\r\n");
  EXPECT_EQ(CsvLine({"x,y", "say \"hi\"", "two\nlines"}), "\"x,y\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
  EXPECT_EQ(CsvLine({"=1+1", "+255", "-1", "@x", "\tx", "a=1"}), "'=1+1,'+255,'-1,'@x,'\tx,a=1\r\n");
}

TEST(CsvLine, IsReadBackAsItWas) {
  const Cells cells = {"plain", "with,comma", "with \"quotes\"", "two\nlines", ""};
  EXPECT_THAT(RowsOf(CsvLine(cells)), ElementsAre(cells));
}

}  // namespace
}  // namespace smsflow::cli
