// Data of config::Node. Internal to shared/config.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mtawatch::config {

struct NodeData {
    enum class Type { null, scalar, list, map };
    Type type = Type::null;
    std::size_t line = 1;
    std::shared_ptr<const std::string> file;
    std::string path;
    std::string text;     // of a scalar
    bool quoted = false;  // a scalar in quotes is text, never a number's or a truth's plain form
    std::vector<std::shared_ptr<NodeData>> items;                            // of a list
    std::vector<std::pair<std::string, std::shared_ptr<NodeData>>> members;  // of a map
};

}  // namespace mtawatch::config
