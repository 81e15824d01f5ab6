// The rules about payloads. They know bytes, no contract. What they make is malloc's.
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// bytes that are somebody else's, or, where a function says so, the caller's to free.
typedef struct {
  const uint8_t *ptr;
  size_t len;
} view;

view view_of(const void *ptr, size_t len);
bool starts_with(view s, view prefix);
bool ends_with(view s, view suffix);
bool equal(view a, view b);

// TEXT is a view of a literal.
#define TEXT(literal) view_of(literal, sizeof(literal) - 1)

// pairs is "key=value;key=value" as a JSON object; the caller frees it.
view pairs(view payload);

// batch calls each for every element of an array. It is called twice, with put false only to count.
// -1: not an array. 0: an empty one.
typedef void (*each)(void *to, int index, view element);
int batch(view payload, each put, void *to);

// renamed has "temperature" for the key "temp"; the caller frees it. Its ptr is NULL if there is
// nothing to change.
view renamed(view payload);

// addressed has the member "to"; the caller frees it. Its ptr is NULL if payload is no object.
view addressed(view payload, view client_id);

#endif
