;; Lifting and lowering: the core type of a function, and the options it needs.

;; numbers need no options
(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (local.get 0))
    (func (export "long") (param i64 f32 f64) (result i64) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u8) (param "b" s16) (result char)
    (canon lift (core func $i "add")))
  (func (export "long") (param "a" u64) (param "b" f32) (param "c" f64) (result s64)
    (canon lift (core func $i "long"))))

;; strings need memory and realloc
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
    (func (export "f") (param i32 i32) (result i32) (i32.const 16))
    (func (export "post") (param i32)))
  (core instance $i (instantiate $m))
  (func (export "f") (param "topic" string) (result string)
    (canon lift (core func $i "f") string-encoding=utf8 (memory (core memory $i "memory"))
      (realloc (core func $i "cabi_realloc")) (post-return (core func $i "post")))))

;; every encoding, lifted and lowered
(component
  (component
    (import "log" (func $log (param "text" string)))
    (core module $m
      (memory (export "m") 1)
      (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 8))
      (func (export "f") (param i32 i32)))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $log) (memory (core memory $i "m"))))
    (core func (canon lower (func $log) string-encoding=utf8 (memory (core memory $i "m"))))
    (core func (canon lower (func $log) string-encoding=utf16 (memory (core memory $i "m"))))
    (core func (canon lower (func $log) string-encoding=latin1+utf16 (memory (core memory $i "m"))))
    (func (param "text" string)
      (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "m")) (realloc (core func $i "r"))))
    (func (param "text" string)
      (canon lift (core func $i "f") string-encoding=latin1+utf16 (memory (core memory $i "m"))
        (realloc (core func $i "r"))))))

;; sixteen core parameters go flat
(component
  (core module $m
    (func (export "f") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (core instance $i (instantiate $m))
  (type $two (tuple u8 u8))
  (func (param "a" $two) (param "b" $two) (param "c" $two) (param "d" $two) (param "e" $two)
    (param "f" $two) (param "g" $two) (param "h" (option bool))
    (canon lift (core func $i "f"))))

;; seventeen go by memory
(component
  (core module $m
    (memory (export "m") 1)
    (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 8))
    (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (type $two (tuple u8 u8))
  (func (param "a" $two) (param "b" $two) (param "c" $two) (param "d" $two) (param "e" $two)
    (param "f" $two) (param "g" $two) (param "h" $two) (param "i" u8)
    (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))

;; two core results go by memory, without realloc
(component
  (core module $m (memory (export "m") 1) (func (export "f") (result i32) (i32.const 8)))
  (core instance $i (instantiate $m))
  (func (result (tuple u8 u8)) (canon lift (core func $i "f") (memory (core memory $i "m")))))

;; a lowered function with a big result takes a pointer
(component
  (component
    (import "get" (func $get (param "key" u32) (result (option string))))
    (core module $libc
      (memory (export "m") 1)
      (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 8)))
    (core instance $libc (instantiate $libc))
    (core func $get2 (canon lower (func $get) (memory (core memory $libc "m")) (realloc (core func $libc "r"))))
    (core module $main (import "host" "get" (func (param i32 i32))))
    (core instance (instantiate $main (with "host" (instance (export "get" (func $get2))))))))

;; the cases of a variant share core values
(component
  (core module $m (func (export "f") (param i32 i64 i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (type $v (variant (case "a" f32) (case "b" (tuple u64 u8)) (case "c")))
  (func (param "v" $v) (result (enum "x" "y")) (canon lift (core func $i "f"))))

;; float and integer join to an integer
(component
  (core module $m (func (export "f") (param i32 i32 i32 i64)))
  (core instance $i (instantiate $m))
  (func (param "a" (result f32 (error u32))) (param "b" (result f64 (error f32)))
    (canon lift (core func $i "f"))))

;; a lowered function given to a module that expects another type
(assert_invalid
  (component
    (import "get" (func $get (param "key" u32)))
    (core func $get2 (canon lower (func $get)))
    (core module $main (import "host" "get" (func (param i64))))
    (core instance (instantiate $main (with "host" (instance (export "get" (func $get2)))))))
  "\"get\"")

;; too many core parameters
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (func (canon lift (core func $i "f"))))
  "type")
;; too few core parameters
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (func (param "a" u8) (param "b" u8) (canon lift (core func $i "f"))))
  "type")
;; a core parameter of another width
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (func (param "a" u64) (canon lift (core func $i "f"))))
  "type")
;; a core result too many
(assert_invalid
  (component
    (core module $m (func (export "f") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (canon lift (core func $i "f"))))
  "type")
;; a core result of another type
(assert_invalid
  (component
    (core module $m (func (export "f") (result f32) (f32.const 0)))
    (core instance $i (instantiate $m))
    (func (result u32) (canon lift (core func $i "f"))))
  "type")
;; a lift of a function that is not there
(assert_invalid (component (func (canon lift (core func 0)))) "index out of bounds")
;; a lift to a type that is not there
(assert_invalid
  (component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (func (type 8) (canon lift (core func $i "f"))))
  "index out of bounds")
;; a lift to a type that is no function
(assert_invalid
  (component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (type $t (list u8))
    (func (type $t) (canon lift (core func $i "f"))))
  "not a function type")
;; a lower of a function that is not there
(assert_invalid (component (core func (canon lower (func 0)))) "index out of bounds")

;; a list parameter without memory
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (param "a" (list u8)) (canon lift (core func $i "f"))))
  "memory")
;; a string deep in a parameter without memory
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32 i32 i32)))
    (core instance $i (instantiate $m))
    (func (param "a" (option string)) (canon lift (core func $i "f"))))
  "memory")
;; a spilled result without memory
(assert_invalid
  (component
    (core module $m (func (export "f") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (result (option u8)) (canon lift (core func $i "f"))))
  "memory")
;; a lowered string parameter without memory
(assert_invalid
  (component (import "log" (func $f (param "t" string))) (core func (canon lower (func $f))))
  "memory")
;; a lowered spilled result without memory
(assert_invalid
  (component (import "f" (func $f (result (tuple u8 u8)))) (core func (canon lower (func $f))))
  "memory")
;; a string parameter without realloc
(assert_invalid
  (component
    (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (param "a" string) (canon lift (core func $i "f") (memory (core memory $i "m")))))
  "realloc")
;; spilled parameters without realloc
(assert_invalid
  (component
    (core module $m (memory (export "m") 1) (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (type $four (tuple u8 u8 u8 u8))
    (func (param "a" (tuple $four $four $four $four u8))
      (canon lift (core func $i "f") (memory (core memory $i "m")))))
  "realloc")
;; a lowered string result without realloc
(assert_invalid
  (component
    (import "f" (func $f (result string)))
    (core module $m (memory (export "m") 1))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (memory (core memory $i "m")))))
  "realloc")
;; realloc without memory
(assert_invalid
  (component
    (import "f" (func $f (param "a" u8)))
    (core module $m (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (realloc (core func $i "r")))))
  "memory")
;; a memory that is not there
(assert_invalid
  (component (import "f" (func $f)) (core func (canon lower (func $f) (memory 0))))
  "index out of bounds")
;; a realloc that is not there
(assert_invalid
  (component
    (import "f" (func $f))
    (core module $m (memory (export "m") 1))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (memory (core memory $i "m")) (realloc 9))))
  "index out of bounds")
;; a realloc of three parameters
(assert_invalid
  (component
    (core module $m
      (memory (export "m") 1)
      (func (export "r") (param i32 i32 i32) (result i32) (i32.const 0))
      (func (export "f") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (param "a" string)
      (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))
  "realloc")
;; a realloc that gives nothing
(assert_invalid
  (component
    (import "f" (func $f))
    (core module $m (memory (export "m") 1) (func (export "r") (param i32 i32 i32 i32)))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (memory (core memory $i "m")) (realloc (core func $i "r")))))
  "realloc")
;; post-return does not take the core result
(assert_invalid
  (component
    (core module $m
      (memory (export "m") 1)
      (func (export "f") (result i32) (i32.const 0))
      (func (export "p")))
    (core instance $i (instantiate $m))
    (func (result string)
      (canon lift (core func $i "f") (memory (core memory $i "m")) (post-return (core func $i "p")))))
  "post-return")
;; post-return gives something
(assert_invalid
  (component
    (core module $m (func (export "f")) (func (export "p") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (canon lift (core func $i "f") (post-return (core func $i "p")))))
  "post-return")
;; post-return of a lower
(assert_invalid
  (component
    (import "f" (func $f))
    (core module $m (func (export "p")))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (post-return (core func $i "p")))))
  "post-return")
;; two encodings
(assert_invalid
  (component
    (import "f" (func $f))
    (core func (canon lower (func $f) string-encoding=utf16 string-encoding=utf8)))
  "string encoding")
;; one encoding twice
(assert_invalid
  (component
    (import "f" (func $f))
    (core func (canon lower (func $f) string-encoding=utf8 string-encoding=utf8)))
  "string encoding")
;; two memories
(assert_invalid
  (component
    (import "f" (func $f))
    (core module $m (memory (export "m") 1))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (memory (core memory $i "m")) (memory (core memory $i "m")))))
  "memory is there twice")
;; two reallocs
(assert_invalid
  (component
    (import "f" (func $f))
    (core module $m
      (memory (export "m") 1)
      (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (core func (canon lower (func $f) (memory (core memory $i "m")) (realloc (core func $i "r"))
      (realloc (core func $i "r")))))
  "realloc is there twice")
;; two post-returns
(assert_invalid
  (component
    (core module $m (func (export "f")) (func (export "p")))
    (core instance $i (instantiate $m))
    (func (canon lift (core func $i "f") (post-return (core func $i "p")) (post-return (core func $i "p")))))
  "post-return is there twice")
