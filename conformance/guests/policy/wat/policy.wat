;; The policy of ../README.md, written by hand in the core form of wit/README.md. A text is two
;; addresses: that of its first byte, and the end behind its last. Who acts is five strings of an
;; address and a length each; the client id and the username come first.
(module
  (import "hpmq:broker/config@0.1.0" "json" (func $json (param $to i32)))

  ;; 0 is where an answer lies: its tag, a list, and from 16 one message. 64 is where $json writes.
  ;; From 80 words, then the argument block, then what one call needs.
  (memory (export "memory") 1)
  (data (i32.const 80) "devices/public/admin/secret/raw/json/batch\"temperature\"")
  (data (i32.const 144) "\"fail\"told to fail#,\"to\":\"\":")
  (data (i32.const 176) "\\u000123456789abcdef")
  (data (i32.const 200) "\a2\00\00\00\01\00\00\00") ;; the list of one string: "#"

  (global $base (mut i32) (i32.const 208))
  (global $top (mut i32) (i32.const 208))
  (global $over (mut i32) (i32.const 0)) ;; the call is over: what it needed may go

  ;; Memory

  (func $begin
    (if (global.get $over)
      (then
        (global.set $over (i32.const 0))
        (global.set $top (global.get $base)))))

  ;; room sees that n bytes at $top are there.
  (func $room (param $n i32)
    (local $lacks i32)
    (local.set $lacks
      (i32.sub
        (i32.shr_u (i32.add (i32.add (global.get $top) (local.get $n)) (i32.const 65535))
          (i32.const 16))
        (memory.size)))
    (if (i32.gt_s (local.get $lacks) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $lacks)) (i32.const -1)) (then (unreachable))))))

  (func $align (param $to i32)
    (global.set $top
      (i32.and
        (i32.sub (i32.add (global.get $top) (local.get $to)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $to)))))

  (func (export "cabi_realloc")
    (param $old i32) (param $old_size i32) (param $to i32) (param $size i32) (result i32)
    (local $at i32)
    (call $begin)
    (call $align (local.get $to))
    (local.set $at (global.get $top))
    (call $room (local.get $size))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (if (local.get $old)
      (then
        (memory.copy (local.get $at) (local.get $old)
          (select (local.get $old_size) (local.get $size)
            (i32.lt_u (local.get $old_size) (local.get $size))))))
    (local.get $at))

  ;; The block is the host's for as long as the instance lives: what calls need begins behind it.
  (func (export "hpmq_arguments") (param $size i32) (result i32)
    (local $at i32)
    (global.set $top (global.get $base))
    (call $align (i32.const 8))
    (local.set $at (global.get $top))
    (call $room (local.get $size))
    (global.set $base (i32.add (local.get $at) (local.get $size)))
    (global.set $top (global.get $base))
    (local.get $at))

  ;; What is written at $top

  (func $put (param $c i32)
    (call $room (i32.const 1))
    (i32.store8 (global.get $top) (local.get $c))
    (global.set $top (i32.add (global.get $top) (i32.const 1))))

  (func $write (param $p i32) (param $end i32)
    (local $n i32)
    (local.set $n (i32.sub (local.get $end) (local.get $p)))
    (call $room (local.get $n))
    (memory.copy (global.get $top) (local.get $p) (local.get $n))
    (global.set $top (i32.add (global.get $top) (local.get $n))))

  (func $write_escaped (param $p i32) (param $end i32)
    (local $c i32)
    (loop $each
      (if (i32.ge_u (local.get $p) (local.get $end)) (then (return)))
      (local.set $c (i32.load8_u (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (if (i32.lt_u (local.get $c) (i32.const 32))
        (then
          (call $write (i32.const 176) (i32.const 180)) ;; \u00
          (call $put (i32.load8_u offset=180 (i32.shr_u (local.get $c) (i32.const 4))))
          (call $put (i32.load8_u offset=180 (i32.and (local.get $c) (i32.const 15)))))
        (else
          (if (i32.or (i32.eq (local.get $c) (i32.const 34)) (i32.eq (local.get $c) (i32.const 92)))
            (then (call $put (i32.const 92))))
          (call $put (local.get $c))))
      (br $each)))

  ;; Texts

  ;; at is the byte at p, or -1 behind the end.
  (func $at (param $p i32) (param $end i32) (result i32)
    (if (i32.ge_u (local.get $p) (local.get $end)) (then (return (i32.const -1))))
    (i32.load8_u (local.get $p)))

  ;; same compares the n bytes at p with those at q.
  (func $same (param $p i32) (param $q i32) (param $n i32) (result i32)
    (loop $each
      (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $each
        (i32.eq
          (i32.load8_u (i32.add (local.get $p) (local.get $n)))
          (i32.load8_u (i32.add (local.get $q) (local.get $n))))))
    (i32.const 0))

  ;; starts says whether the text starts with the n bytes at q.
  (func $starts (param $p i32) (param $end i32) (param $q i32) (param $n i32) (result i32)
    (if (i32.lt_u (i32.sub (local.get $end) (local.get $p)) (local.get $n))
      (then (return (i32.const 0))))
    (call $same (local.get $p) (local.get $q) (local.get $n)))

  (func $ends (param $p i32) (param $end i32) (param $q i32) (param $n i32) (result i32)
    (if (i32.lt_u (i32.sub (local.get $end) (local.get $p)) (local.get $n))
      (then (return (i32.const 0))))
    (call $same (i32.sub (local.get $end) (local.get $n)) (local.get $q) (local.get $n)))

  ;; find is the address of the first c, or the end.
  (func $find (param $p i32) (param $end i32) (param $c i32) (result i32)
    (block $found
      (loop $each
        (br_if $found (i32.ge_u (local.get $p) (local.get $end)))
        (br_if $found (i32.eq (i32.load8_u (local.get $p)) (local.get $c)))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $each)))
    (local.get $p))

  (func $is_space (param $c i32) (result i32)
    (i32.or
      (i32.or (i32.eq (local.get $c) (i32.const 32)) (i32.eq (local.get $c) (i32.const 9)))
      (i32.or (i32.eq (local.get $c) (i32.const 10)) (i32.eq (local.get $c) (i32.const 13)))))

  ;; first is the address of the first byte that is no space, or the end.
  (func $first (param $p i32) (param $end i32) (result i32)
    (loop $each
      (if (call $is_space (call $at (local.get $p) (local.get $end)))
        (then
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $each))))
    (local.get $p))

  ;; last is the end behind the last byte that is no space, or p.
  (func $last (param $p i32) (param $end i32) (result i32)
    (block $found
      (loop $each
        (br_if $found (i32.ge_u (local.get $p) (local.get $end)))
        (br_if $found
          (i32.eqz (call $is_space (i32.load8_u (i32.sub (local.get $end) (i32.const 1))))))
        (local.set $end (i32.sub (local.get $end) (i32.const 1)))
        (br $each)))
    (local.get $end))

  ;; within says whether the trimmed text stands between this bracket and the one that closes it.
  (func $within (param $p i32) (param $end i32) (param $open i32) (result i32)
    (local.set $p (call $first (local.get $p) (local.get $end)))
    (local.set $end (call $last (local.get $p) (local.get $end)))
    (if (i32.lt_u (i32.sub (local.get $end) (local.get $p)) (i32.const 2))
      (then (return (i32.const 0))))
    (i32.and
      (i32.eq (i32.load8_u (local.get $p)) (local.get $open))
      (i32.eq
        (i32.load8_u (i32.sub (local.get $end) (i32.const 1)))
        (i32.add (local.get $open) (i32.const 2)))))

  ;; quote is the address of the quote that ends the string which begins at p, or at least the end.
  (func $quote (param $p i32) (param $end i32) (result i32)
    (local $c i32)
    (loop $each
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (local.set $c (call $at (local.get $p) (local.get $end)))
      (if (i32.eq (local.get $c) (i32.const 92))
        (then (local.set $p (i32.add (local.get $p) (i32.const 1)))))
      (br_if $each
        (i32.and (i32.ne (local.get $c) (i32.const 34)) (i32.ne (local.get $c) (i32.const -1)))))
    (local.get $p))

  ;; level is how much c changes the depth.
  (func $level (param $c i32) (result i32)
    (local.set $c (i32.or (local.get $c) (i32.const 32))) ;; [ and { as {, ] and } as }
    (i32.sub (i32.eq (local.get $c) (i32.const 123)) (i32.eq (local.get $c) (i32.const 125))))

  ;; Numbers of RFC 8259, section 6

  (func $digits (param $p i32) (param $end i32) (result i32)
    (loop $each
      (if
        (i32.lt_u
          (i32.sub (call $at (local.get $p) (local.get $end)) (i32.const 48))
          (i32.const 10))
        (then
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $each))))
    (local.get $p))

  (func $is_number (param $p i32) (param $end i32) (result i32)
    (local $q i32)
    (local.set $p
      (i32.add (local.get $p)
        (i32.eq (call $at (local.get $p) (local.get $end)) (i32.const 45))))
    (local.set $q (call $digits (local.get $p) (local.get $end)))
    (if (i32.eq (call $at (local.get $p) (local.get $end)) (i32.const 48))
      (then (local.set $q (i32.add (local.get $p) (i32.const 1)))))
    (if (i32.eq (local.get $q) (local.get $p)) (then (return (i32.const 0))))
    (local.set $p (local.get $q))
    (if (i32.eq (call $at (local.get $p) (local.get $end)) (i32.const 46))
      (then
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (local.set $q (call $digits (local.get $p) (local.get $end)))
        (if (i32.eq (local.get $q) (local.get $p)) (then (return (i32.const 0))))
        (local.set $p (local.get $q))))
    (if
      (i32.eq
        (i32.or (call $at (local.get $p) (local.get $end)) (i32.const 32))
        (i32.const 101))
      (then
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (local.set $q (call $at (local.get $p) (local.get $end)))
        (local.set $p
          (i32.add (local.get $p)
            (i32.or (i32.eq (local.get $q) (i32.const 43)) (i32.eq (local.get $q) (i32.const 45)))))
        (local.set $q (call $digits (local.get $p) (local.get $end)))
        (if (i32.eq (local.get $q) (local.get $p)) (then (return (i32.const 0))))
        (local.set $p (local.get $q))))
    (i32.eq (local.get $p) (local.get $end)))

  ;; lifecycle

  (func (export "hpmq:broker/lifecycle@0.1.0#configure") (result i32)
    (local $p i32) (local $end i32)
    (call $begin)
    (call $json (i32.const 64))
    (local.set $p (i32.load (i32.const 64)))
    (local.set $end (i32.add (local.get $p) (i32.load (i32.const 68))))
    (i32.store (i32.const 0) (i32.const 0))
    (i64.store (i32.const 4) (i64.const 0x1000000c8)) ;; inbound: one string at 200
    (i64.store (i32.const 12) (i64.const 0x1000000c8))
    (loop $each
      (local.set $p (call $find (local.get $p) (local.get $end) (i32.const 34)))
      (if (call $starts (local.get $p) (local.get $end) (i32.const 144) (i32.const 6))
        (then
          (i32.store (i32.const 0) (i32.const 1))
          (i64.store (i32.const 4) (i64.const 0xc00000096)))) ;; told to fail
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $p) (local.get $end))))
    (global.set $over (i32.const 1))
    (i32.const 0))

  ;; authorizer: a decision is the number of wit/authorizer.wit

  ;; own says whether the topic starts with devices/CID/.
  (func $own (param $topic i32) (param $end i32) (param $id i32) (param $n i32) (result i32)
    (if (i32.eqz (call $starts (local.get $topic) (local.get $end) (i32.const 80) (i32.const 8)))
      (then (return (i32.const 0))))
    (local.set $topic (i32.add (local.get $topic) (i32.const 8)))
    (if (i32.eqz (call $starts (local.get $topic) (local.get $end) (local.get $id) (local.get $n)))
      (then (return (i32.const 0))))
    (i32.eq
      (call $at (i32.add (local.get $topic) (local.get $n)) (local.get $end))
      (i32.const 47)))

  ;; plain says whether the text has none of / + #.
  (func $plain (param $p i32) (param $end i32) (result i32)
    (i32.and
      (i32.eq (call $find (local.get $p) (local.get $end) (i32.const 47)) (local.get $end))
      (i32.and
        (i32.eq (call $find (local.get $p) (local.get $end) (i32.const 43)) (local.get $end))
        (i32.eq (call $find (local.get $p) (local.get $end) (i32.const 35)) (local.get $end)))))

  ;; level_is_wild says whether the first level is all of # or +.
  (func $level_is_wild (param $p i32) (param $end i32) (result i32)
    (local $c i32)
    (local.set $end (call $find (local.get $p) (local.get $end) (i32.const 47)))
    (local.set $c (call $at (local.get $p) (local.get $end)))
    (i32.and
      (i32.eq (i32.sub (local.get $end) (local.get $p)) (i32.const 1))
      (i32.or (i32.eq (local.get $c) (i32.const 35)) (i32.eq (local.get $c) (i32.const 43)))))

  (func $judge (param $id i32) (param $id_n i32) (param $name i32) (param $name_n i32)
    (param $action i32) (param $topic i32) (param $end i32) (param $qos i32) (result i32)
    (local $subscribes i32)
    (local.set $subscribes (i32.eq (local.get $action) (i32.const 1)))
    (if (i32.eq (local.get $name_n) (i32.const 5))
      (then
        (if (call $same (local.get $name) (i32.const 95) (i32.const 5)) ;; admin
          (then (return (i32.const 0x4b200)))))) ;; allow, action, 300
    (if (i32.eq (call $at (local.get $topic) (local.get $end)) (i32.const 36))
      (then (return (i32.const 0x87))))
    (if
      (i32.or
        (i32.eqz (local.get $id_n))
        (i32.eqz
          (call $plain (local.get $id) (i32.add (local.get $id) (local.get $id_n)))))
      (then (return (i32.const 0x287))))
    (if (i32.and (i32.eq (local.get $action) (i32.const 2)) (i32.eq (local.get $qos) (i32.const 2)))
      (then (return (i32.const 0x97))))
    (if (i32.eq (local.get $action) (i32.const 3)) (then (return (i32.const 0x200))))
    (if
      (i32.and
        (local.get $subscribes)
        (call $level_is_wild (local.get $topic) (local.get $end)))
      (then (return (i32.const 0x187))))
    (if (call $own (local.get $topic) (local.get $end) (local.get $id) (local.get $id_n))
      (then (return (i32.const 0xf100)))) ;; allow, topic, 60
    (if
      (i32.and
        (local.get $subscribes)
        (call $starts (local.get $topic) (local.get $end) (i32.const 88) (i32.const 7)))
      (then (return (i32.const 0xf100))))
    (if (call $starts (local.get $topic) (local.get $end) (i32.const 80) (i32.const 8))
      (then (return (i32.const 0xf187))))
    (i32.const 1))

  (func (export "hpmq:broker/authorizer@0.1.0#authorize")
    (param $id i32) (param $id_n i32) (param $name i32) (param $name_n i32)
    (param i32 i32 i32 i32 i32 i32) ;; address, listener, tenant
    (param $action i32) (param $topic i32) (param $topic_n i32) (param $qos i32) (result i32)
    (call $begin)
    (global.set $over (i32.const 1))
    (call $judge (local.get $id) (local.get $id_n) (local.get $name) (local.get $name_n)
      (local.get $action) (local.get $topic) (i32.add (local.get $topic) (local.get $topic_n))
      (local.get $qos)))

  ;; transformer

  (func $answer (param $tag i32) (result i32)
    (global.set $over (i32.const 1))
    (i32.store8 (i32.const 0) (local.get $tag))
    (i32.const 0))

  ;; message writes a message at the address.
  (func $message (param $m i32) (param $topic i32) (param $topic_end i32) (param $payload i32)
    (param $end i32) (param $qos i32) (param $retain i32)
    (i32.store (local.get $m) (local.get $topic))
    (i32.store offset=4 (local.get $m) (i32.sub (local.get $topic_end) (local.get $topic)))
    (i32.store offset=8 (local.get $m) (local.get $payload))
    (i32.store offset=12 (local.get $m) (i32.sub (local.get $end) (local.get $payload)))
    (i32.store8 offset=16 (local.get $m) (local.get $qos))
    (i32.store8 offset=17 (local.get $m) (local.get $retain)))

  ;; replace answers one message, whose payload was written from $at on.
  (func $replace (param $topic i32) (param $topic_end i32) (param $at i32) (param $qos i32)
    (param $retain i32) (result i32)
    (i32.store (i32.const 4) (i32.const 16))
    (i32.store (i32.const 8) (i32.const 1))
    (call $message (i32.const 16) (local.get $topic) (local.get $topic_end) (local.get $at)
      (global.get $top) (local.get $qos) (local.get $retain))
    (call $answer (i32.const 2)))

  (func $write_value (param $p i32) (param $end i32)
    (if (call $is_number (local.get $p) (local.get $end))
      (then
        (call $write (local.get $p) (local.get $end))
        (return)))
    (call $put (i32.const 34))
    (call $write_escaped (local.get $p) (local.get $end))
    (call $put (i32.const 34)))

  ;; write_pairs writes "key=value;key=value" as an object.
  (func $write_pairs (param $p i32) (param $end i32)
    (local $part i32) (local $eq i32) (local $comma i32)
    (call $put (i32.const 123))
    (loop $each
      (local.set $part (call $find (local.get $p) (local.get $end) (i32.const 59)))
      (if (i32.ne (local.get $part) (local.get $p))
        (then
          (if (local.get $comma) (then (call $put (i32.const 44))))
          (local.set $comma (i32.const 1))
          (local.set $eq (call $find (local.get $p) (local.get $part) (i32.const 61)))
          (call $put (i32.const 34))
          (call $write_escaped (local.get $p) (local.get $eq))
          (call $write (i32.const 170) (i32.const 172)) ;; ":
          (call $write_value
            (i32.add (local.get $eq) (i32.ne (local.get $eq) (local.get $part)))
            (local.get $part))))
      (local.set $p (i32.add (local.get $part) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $p) (local.get $end))))
    (call $put (i32.const 125)))

  ;; write_list writes messages, a part of the array each, and says how many; -1 if it is none. The
  ;; text is what stands between the brackets.
  (func $write_list (param $p i32) (param $end i32) (param $topic i32) (param $topic_end i32)
    (param $qos i32) (result i32)
    (local $i i32) (local $c i32) (local $depth i32) (local $n i32) (local $part_end i32)
    (local.set $i (local.get $p))
    (loop $each
      (local.set $c (call $at (local.get $i) (local.get $end)))
      (if (i32.eq (local.get $c) (i32.const 34))
        (then
          (local.set $i (call $quote (local.get $i) (local.get $end)))
          (if (i32.ge_u (local.get $i) (local.get $end)) (then (return (i32.const -1))))))
      (if (i32.ne (local.get $c) (i32.const -1))
        (then (local.set $depth (i32.add (local.get $depth) (call $level (local.get $c))))))
      (if (i32.lt_s (local.get $depth) (i32.const 0)) (then (return (i32.const -1))))
      (if
        (i32.or
          (i32.eq (local.get $c) (i32.const -1))
          (i32.and (i32.eq (local.get $c) (i32.const 44)) (i32.eqz (local.get $depth))))
        (then
          (local.set $p (call $first (local.get $p) (local.get $i)))
          (local.set $part_end (call $last (local.get $p) (local.get $i)))
          (if (i32.eq (local.get $p) (local.get $part_end)) (then (return (i32.const -1))))
          (call $room (i32.const 20))
          (call $message (global.get $top) (local.get $topic) (local.get $topic_end)
            (local.get $p) (local.get $part_end) (local.get $qos) (i32.const 0))
          (global.set $top (i32.add (global.get $top) (i32.const 20)))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (local.set $p (i32.add (local.get $i) (i32.const 1)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.ne (local.get $c) (i32.const -1))))
    (select (i32.const -1) (local.get $n) (local.get $depth)))

  (func $batch (param $p i32) (param $end i32) (param $topic i32) (param $topic_end i32)
    (param $qos i32) (result i32)
    (local $n i32)
    (if (i32.eqz (call $within (local.get $p) (local.get $end) (i32.const 91)))
      (then (return (call $answer (i32.const 0)))))
    (local.set $p
      (i32.add (call $first (local.get $p) (local.get $end)) (i32.const 1)))
    (local.set $end
      (i32.sub (call $last (local.get $p) (local.get $end)) (i32.const 1)))
    (if (i32.eq (call $first (local.get $p) (local.get $end)) (local.get $end))
      (then (return (call $answer (i32.const 1)))))
    (call $align (i32.const 4))
    (i32.store (i32.const 4) (global.get $top))
    (local.set $n
      (call $write_list (local.get $p) (local.get $end) (local.get $topic) (local.get $topic_end)
        (local.get $qos)))
    (i32.store (i32.const 8) (local.get $n))
    (call $answer (select (i32.const 2) (i32.const 0) (i32.gt_s (local.get $n) (i32.const 0)))))

  ;; temp is the address of the string "temp" that is a key at depth 1, or 0.
  (func $temp (param $p i32) (param $end i32) (result i32)
    (local $c i32) (local $depth i32) (local $from i32)
    (if (i32.eqz (call $within (local.get $p) (local.get $end) (i32.const 123)))
      (then (return (i32.const 0))))
    (loop $each
      (local.set $from (local.get $p))
      (local.set $c (i32.load8_u (local.get $p)))
      (if (i32.eq (local.get $c) (i32.const 34))
        (then (local.set $p (call $quote (local.get $p) (local.get $end)))))
      (local.set $depth (i32.add (local.get $depth) (call $level (local.get $c))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (if
        (i32.and
          (i32.eq (local.get $depth) (i32.const 1))
          (i32.eq (i32.sub (local.get $p) (local.get $from)) (i32.const 6)))
        (then
          (if
            (i32.and
              (call $starts (local.get $from) (local.get $end) (i32.const 122) (i32.const 5))
              (i32.eq
                (call $at (call $first (local.get $p) (local.get $end)) (local.get $end))
                (i32.const 58)))
            (then (return (local.get $from))))))
      (br_if $each (i32.lt_u (local.get $p) (local.get $end))))
    (i32.const 0))

  (func (export "hpmq:broker/transformer@0.1.0#upstream")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) ;; who
    (param $topic i32) (param $topic_n i32) (param $p i32) (param $n i32) (param $qos i32)
    (param $retain i32) (result i32)
    (local $end i32) (local $topic_end i32) (local $at i32) (local $key i32)
    (call $begin)
    (local.set $end (i32.add (local.get $p) (local.get $n)))
    (local.set $topic_end (i32.add (local.get $topic) (local.get $topic_n)))
    (if (call $ends (local.get $topic) (local.get $topic_end) (i32.const 100) (i32.const 7))
      (then (return (call $answer (i32.const 1))))) ;; secret
    (local.set $at (global.get $top))
    (if (call $ends (local.get $topic) (local.get $topic_end) (i32.const 107) (i32.const 4))
      (then ;; raw, as json
        (call $write (local.get $topic) (i32.sub (local.get $topic_end) (i32.const 4)))
        (call $write (i32.const 111) (i32.const 116))
        (local.set $topic_end (global.get $top))
        (call $write_pairs (local.get $p) (local.get $end))
        (return
          (call $replace (local.get $at) (local.get $topic_end) (local.get $topic_end)
            (local.get $qos) (local.get $retain)))))
    (if
      (i32.and
        (call $ends (local.get $topic) (local.get $topic_end) (i32.const 116) (i32.const 6))
        (i32.ne (local.get $topic_n) (i32.const 6)))
      (then
        (return
          (call $batch (local.get $p) (local.get $end) (local.get $topic)
            (i32.sub (local.get $topic_end) (i32.const 6)) (local.get $qos)))))
    (local.set $key (call $temp (local.get $p) (local.get $end)))
    (if (i32.eqz (local.get $key)) (then (return (call $answer (i32.const 0)))))
    (call $write (local.get $p) (local.get $key))
    (call $write (i32.const 122) (i32.const 135)) ;; "temperature"
    (call $write (i32.add (local.get $key) (i32.const 6)) (local.get $end))
    (call $replace (local.get $topic) (local.get $topic_end) (local.get $at) (local.get $qos)
      (local.get $retain)))

  (func (export "hpmq:broker/transformer@0.1.0#downstream")
    (param $id i32) (param $id_n i32)
    (param i32 i32 i32 i32 i32 i32 i32 i32) ;; username, address, listener, tenant
    (param $topic i32) (param $topic_n i32) (param $p i32) (param $n i32) (param $qos i32)
    (param $retain i32) (result i32)
    (local $end i32) (local $at i32) (local $last i32) (local $inner i32)
    (call $begin)
    (local.set $end (i32.add (local.get $p) (local.get $n)))
    (if (i32.eqz (call $within (local.get $p) (local.get $end) (i32.const 123)))
      (then (return (call $answer (i32.const 0)))))
    (local.set $at (global.get $top))
    (local.set $last
      (i32.sub (call $last (local.get $p) (local.get $end)) (i32.const 1)))
    (local.set $inner
      (i32.add (call $first (local.get $p) (local.get $end)) (i32.const 1)))
    (call $write (local.get $p) (local.get $last))
    (call $write ;; ,"to":" or without the comma
      (i32.add (i32.const 163)
        (i32.eq (call $first (local.get $inner) (local.get $last)) (local.get $last)))
      (i32.const 170))
    (call $write_escaped (local.get $id) (i32.add (local.get $id) (local.get $id_n)))
    (call $put (i32.const 34))
    (call $write (local.get $last) (local.get $end))
    (call $replace (local.get $topic) (i32.add (local.get $topic) (local.get $topic_n))
      (local.get $at) (local.get $qos) (local.get $retain))))
