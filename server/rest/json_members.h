// Which members of a JSON text stand there twice. Parsers that make a tree of it keep one of them and tell nobody.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace smsflow::server::rest {

// The paths of those that do, as "items[2].target", whatever escapes their names were written with; at most `most`,
// each once. REQUIRES a text that is JSON, no deeper than `depth_max`: of another it tells nothing that counts. One
// thread; of the values nothing is kept.
std::vector<std::string> MembersThereTwice(std::string_view text, std::size_t depth_max, std::size_t most);

// A name that somebody made up is shown, if it can be one.
std::string ShownMember(std::string_view name);

}  // namespace smsflow::server::rest
