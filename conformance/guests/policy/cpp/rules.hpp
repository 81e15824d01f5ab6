// The rules about payloads. They know bytes, no contract.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// pairs is "key=value;key=value" as a JSON object.
std::string pairs(std::string_view payload);

// batch is the elements of an array, nothing if it is none. They are views of payload.
std::optional<std::vector<std::string_view>> batch(std::string_view payload);

// renamed has "temperature" for the key "temp", nothing if there is none.
std::optional<std::string> renamed(std::string_view payload);

// addressed has the member "to", nothing if payload is no object.
std::optional<std::string> addressed(std::string_view payload, std::string_view client_id);
