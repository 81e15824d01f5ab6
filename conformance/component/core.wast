;; Core modules, their types and instances.

;; a module with all kinds of imports
(component
  (core module $a
    (func (export "f") (param i32) (result i32) (local.get 0))
    (table (export "t") 4 8 funcref)
    (memory (export "m") 1 2)
    (global (export "g") (mut i64) (i64.const 1)))
  (core module $b
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "t" (table 2 funcref))
    (import "a" "m" (memory 1 4))
    (import "a" "g" (global (mut i64))))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))

;; imports from several instances and inline ones
(component
  (core module $libc (memory (export "memory") 1) (func (export "malloc") (param i32) (result i32)
    (i32.const 8)))
  (core module $main
    (import "env" "memory" (memory 1))
    (import "env" "alloc" (func (param i32) (result i32)))
    (import "libc" "malloc" (func (param i32) (result i32))))
  (core instance $libc (instantiate $libc))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "env" (instance
      (export "memory" (memory $libc "memory"))
      (export "alloc" (func $libc "malloc")))))))

;; more arguments and more exports than needed
(component
  (core module $a (func (export "f")) (func (export "g")))
  (core module $b (import "a" "f" (func)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)) (with "unused" (instance $a)))))

;; names with any characters
(component
  (core module $a (func (export "")) (func (export "Ünïcode \n")))
  (core module $b (import "" "" (func)) (import "" "Ünïcode \n" (func)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "" (instance $a)))))

;; a start function and data
(component
  (core module $m (memory 1) (data (i32.const 0) "hello") (func $s) (start $s))
  (core instance (instantiate $m)))

;; a module type
(component
  (core type $t (module
    (type $f (func (param i32 i64) (result f32)))
    (import "env" "f" (func (type $f)))
    (import "env" "m" (memory 1 2))
    (import "env" "t" (table 1 funcref))
    (import "env" "g" (global i32))
    (export "f" (func (type $f)))
    (export "m" (memory 1))))
  (type (component (import "m" (core module (type $t))))))

;; a module that is imported
(component
  (component
    (import "m" (core module $m (import "env" "f" (func)) (export "run" (func))))
    (core module $h (func (export "f")))
    (core instance $h (instantiate $h))
    (core instance $i (instantiate $m (with "env" (instance $h))))
    (func (export "run") (canon lift (core func $i "run")))))

;; core function types
(component
  (core type (func))
  (core type (func (param i32 i64 f32 f64) (result i32 i32))))

;; a module index that is not there
(assert_invalid (component (core instance (instantiate 0))) "index out of bounds")
;; an import that is not given
(assert_invalid
  (component (core module $m (import "env" "f" (func))) (core instance (instantiate $m)))
  "not given")
;; an argument that lacks an export
(assert_invalid
  (component
    (core module $a (func (export "f")))
    (core module $b (import "env" "f" (func)) (import "env" "g" (func)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "env" (instance $a)))))
  "\"g\"")
;; an argument that is not there
(assert_invalid
  (component (core module $m) (core instance (instantiate $m (with "a" (instance 5)))))
  "index out of bounds")
;; an argument twice
(assert_invalid
  (component
    (core module $m)
    (core instance $i (instantiate $m))
    (core instance (instantiate $m (with "a" (instance $i)) (with "a" (instance $i)))))
  "twice")
;; an export of an inline instance twice
(assert_invalid
  (component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (core instance (export "a" (func $i "f")) (export "a" (func $i "f"))))
  "twice")
;; an inline export of a function that is not there
(assert_invalid (component (core instance (export "a" (func 0)))) "index out of bounds")
;; an inline export of a table that is not there
(assert_invalid (component (core instance (export "a" (table 0)))) "index out of bounds")
;; an inline export of a memory that is not there
(assert_invalid (component (core instance (export "a" (memory 0)))) "index out of bounds")
;; an inline export of a global that is not there
(assert_invalid (component (core instance (export "a" (global 0)))) "index out of bounds")

;; a function with other parameters
(assert_invalid
  (component
    (core module $a (func (export "f") (param i64)))
    (core module $b (import "a" "f" (func (param i32))))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"f\"")
;; a function with another result
(assert_invalid
  (component
    (core module $a (func (export "f") (result i32) (i32.const 0)))
    (core module $b (import "a" "f" (func)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"f\"")
;; a memory where a function is needed
(assert_invalid
  (component
    (core module $a (memory (export "f") 1))
    (core module $b (import "a" "f" (func)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"f\"")
;; a global of another type
(assert_invalid
  (component
    (core module $a (global (export "g") f32 (f32.const 0)))
    (core module $b (import "a" "g" (global i32)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"g\"")
;; a constant global where a mutable one is needed
(assert_invalid
  (component
    (core module $a (global (export "g") i32 (i32.const 0)))
    (core module $b (import "a" "g" (global (mut i32))))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"g\"")
;; a mutable global where a constant one is needed
(assert_invalid
  (component
    (core module $a (global (export "g") (mut i32) (i32.const 0)))
    (core module $b (import "a" "g" (global i32)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"g\"")
;; a memory that is too small
(assert_invalid
  (component
    (core module $a (memory (export "m") 1))
    (core module $b (import "a" "m" (memory 2)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"m\"")
;; a memory that may grow too much
(assert_invalid
  (component
    (core module $a (memory (export "m") 1 8))
    (core module $b (import "a" "m" (memory 1 4)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"m\"")
;; a memory without a most where one is needed
(assert_invalid
  (component
    (core module $a (memory (export "m") 1))
    (core module $b (import "a" "m" (memory 1 4)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"m\"")
;; a table that is too small
(assert_invalid
  (component
    (core module $a (table (export "t") 1 funcref))
    (core module $b (import "a" "t" (table 2 funcref)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"t\"")
;; a table of other references
(assert_invalid
  (component
    (core module $a (table (export "t") 1 externref))
    (core module $b (import "a" "t" (table 1 funcref)))
    (core instance $a (instantiate $a))
    (core instance (instantiate $b (with "a" (instance $a)))))
  "\"t\"")

;; a module with an import twice
(assert_invalid
  (component (core module (import "a" "b" (func)) (import "a" "b" (global i32))))
  "twice")
;; a module type with an import twice
(assert_invalid
  (component (core type (module (import "a" "b" (func)) (import "a" "b" (func)))))
  "twice")
;; a module type with an export twice
(assert_invalid
  (component (core type (module (export "a" (func)) (export "a" (memory 1)))))
  "twice")
;; a module type that uses a type that is not there
(assert_invalid (component (core type (module (export "a" (func (type 0)))))) "index out of bounds")
;; a module type with a memory that is too big
(assert_invalid (component (core type (module (import "a" "m" (memory 65537))))) "65536")
;; a module type with limits out of order
(assert_invalid (component (core type (module (import "a" "m" (memory 4 2))))) "in order")
;; a module type that aliases a component's type
(component $C
  (core type $f (func (param i32)))
  (core type (module (alias outer $C $f (type $g)) (import "a" "f" (func (type $g))))))
;; a module type that aliases a type that is not there
(assert_invalid (component $C (core type (module (alias outer $C 9 (type))))) "index out of bounds")
;; a module type that aliases a module type
(assert_invalid
  (component $C (core type $m (module)) (core type (module (alias outer $C $m (type)))))
  "alias of a module type within a module type")
;; a module import of a core type that is not there
(assert_invalid (component (import "m" (core module (type 3)))) "index out of bounds")

;; a module that is an argument
(component
  (core module $m (import "env" "f" (func)) (func (export "run")) (func (export "more")))
  (component $c
    (import "m" (core module
      (import "env" "f" (func)) (import "env" "g" (func)) (export "run" (func)))))
  (instance (instantiate $c (with "m" (core module $m)))))
;; a module that imports more than is promised
(assert_invalid
  (component
    (core module $m (import "env" "secret" (func)))
    (component $c (import "m" (core module)))
    (instance (instantiate $c (with "m" (core module $m)))))
  "secret")
;; a module that exports less than is promised
(assert_invalid
  (component
    (core module $m)
    (component $c (import "m" (core module (export "run" (func)))))
    (instance (instantiate $c (with "m" (core module $m)))))
  "run")
;; a module that imports a bigger memory than is promised
(assert_invalid
  (component
    (core module $m (import "env" "m" (memory 4)))
    (component $c (import "m" (core module (import "env" "m" (memory 2)))))
    (instance (instantiate $c (with "m" (core module $m)))))
  "\"m\"")
;; a module that exports a smaller memory than is promised
(assert_invalid
  (component
    (core module $m (memory (export "m") 1))
    (component $c (import "m" (core module (export "m" (memory 2)))))
    (instance (instantiate $c (with "m" (core module $m)))))
  "\"m\"")
