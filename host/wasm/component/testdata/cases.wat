;; Components that Decode must accept (;; valid) or refuse (;; invalid: with this in the message).
;; make.sh turns each into a line of cases.txt, which the tests read.

;; valid: nothing
(component)

;; valid: every value type, by index and in place
(component
  (type bool) (type s8) (type u8) (type s16) (type u16) (type s32) (type u32) (type s64) (type u64)
  (type f32) (type f64) (type char) (type string)
  (type $point (record (field "x" s32) (field "y" s32)))
  (type $shape (variant (case "circle" f64) (case "dot") (case "box" $point)))
  (type $level (enum "low" "high"))
  (type $set (flags "a" "b" "c"))
  (type (list $shape))
  (type (tuple $level $set u8))
  (type (option (list string)))
  (type (result)) (type (result u8)) (type (result (error string)))
  (type (result $shape (error $level)))
  (type (func))
  (type (func (param "a" $point) (param "b" (option u8)) (result (list $shape)))))

;; valid: names of all kinds
(component
  (import "a" (func))
  (import "a-1-B2-c" (func))
  (import "wasi:io/streams" (instance))
  (import "wasi:io/streams@0.2.6" (instance))
  (import "my-ns:my-pkg/my-IFACE@1.0.0-rc.1+build-5" (instance))
  (import "r" (type $r (sub resource)))
  (import "[constructor]r" (func (param "n" u32) (result (own $r))))
  (import "[method]r.size" (func (param "self" (borrow $r)) (result u32)))
  (import "[static]r.all" (func (result (list (own $r)))))
  (import "s" (type $s (sub resource)))
  (import "[constructor]s" (func (result (result (own $s) (error string))))))

;; valid: lift and lower with every option
(component
  (import "log" (func $log (param "line" string)))
  (import "read" (func $read (result (list u8))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $m))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $log1 (canon lower (func $log) (memory $m) string-encoding=utf8))
  (core func $log2 (canon lower (func $log) (memory $m) string-encoding=utf16))
  (core func $log3 (canon lower (func $log) (memory $m) string-encoding=latin1+utf16))
  (core func $read1 (canon lower (func $read) (memory $m) (realloc $realloc)))
  (core module $main
    (import "host" "log" (func (param i32 i32)))
    (import "host" "read" (func (param i32)))
    (import "libc" "memory" (memory 1))
    (func (export "run") (param i32 i32) (result i32) unreachable)
    (func (export "after") (param i32)))
  (core instance $main (instantiate $main
    (with "host" (instance (export "log" (func $log1)) (export "read" (func $read1))))
    (with "libc" (instance $libc))))
  (func (export "run") (param "s" string) (result string)
    (canon lift (core func $main "run") (memory $m) (realloc $realloc)
      (post-return (core func $main "after")))))

;; valid: seventeen parameters go by memory
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (func (export "f")
    (param "a" u8) (param "b" u8) (param "c" u8) (param "d" u8) (param "e" u8) (param "f" u8)
    (param "g" u8) (param "h" u8) (param "i" u8) (param "j" u8) (param "k" u8) (param "l" u8)
    (param "m" u8) (param "n" u8) (param "o" u8) (param "p" u8) (param "q" u8)
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))

;; valid: a resource with a destructor, its functions and its export
(component
  (core module $m
    (func (export "dtor") (param i32))
    (func (export "new") (result i32) unreachable)
    (func (export "size") (param i32) (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $r (resource (rep i32) (dtor (core func $i "dtor"))))
  (core func (canon resource.new $r))
  (core func (canon resource.rep $r))
  (core func (canon resource.drop $r))
  (export $r2 "r" (type $r))
  (func $new (result (own $r)) (canon lift (core func $i "new")))
  (func $size (param "self" (borrow $r)) (result u32) (canon lift (core func $i "size")))
  (export "[constructor]r" (func $new) (func (result (own $r2))))
  (export "[method]r.size" (func $size) (func (param "self" (borrow $r2)) (result u32))))

;; valid: arguments of all sorts, types taken from arguments
(component
  (component $child
    (import "t" (type $t (sub resource)))
    (type $rec (record (field "h" (own $t))))
    (import "rec" (type $rec2 (eq $rec)))
    (import "f" (func $f (param "x" $rec2)))
    (import "i" (instance $i (export "u" (type (sub resource)))))
    (import "c" (component (import "z" (func))))
    (import "m" (core module (import "" "g" (global i32)) (export "f" (func))))
    (export "f" (func $f))
    (export "j" (instance $i)))
  (component $z)
  (core module $m (func (export "f")) (func (export "more")))
  (type $r (resource (rep i32)))
  (type $u (resource (rep i32)))
  (type $rec (record (field "h" (own $r))))
  (core module $lib (func (export "f") (param i32)))
  (core instance $lib (instantiate $lib))
  (func $f (param "x" $rec) (canon lift (core func $lib "f")))
  (instance $c (instantiate $child
    (with "t" (type $r)) (with "rec" (type $rec)) (with "f" (func $f))
    (with "i" (instance (export "u" (type $u)))) (with "c" (component $z))
    (with "m" (core module $m)) (with "ignored" (func $f))))
  (export $r2 "r" (type $r))
  (type $rec2 (record (field "h" (own $r2))))
  (export $rec3 "rec" (type $rec2))
  (export "f" (func $c "f") (func (param "x" $rec3))))

;; valid: two instances have resources of their own, one resource stays one
(component
  (component $c
    (type $r (resource (rep i32)))
    (export "r" (type $r)))
  (instance $a (instantiate $c))
  (instance $b (instantiate $c))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $a "r")) (with "y" (type $a "r")))))

;; valid: a component for a component type that asks for more and gives less
(component
  (component $taker
    (import "c" (component
      (import "r" (type $r (sub resource)))
      (import "f" (func (param "x" (own $r))))
      (import "g" (func))
      (export "s" (type (sub resource))))))
  (component $given
    (import "r" (type $r (sub resource)))
    (import "f" (func (param "x" (own $r))))
    (type $s (resource (rep i32)))
    (export "s" (type $s))
    (export "t" (type $r)))
  (instance (instantiate $taker (with "c" (component $given)))))

;; valid: outer aliases of what does not differ by instance
(component $c
  (core module $m)
  (core type $ft (func (param i32)))
  (component $n)
  (type $t (record (field "x" u32)))
  (component
    (alias outer $c $m (core module))
    (alias outer $c $ft (core type $ft2))
    (alias outer $c $n (component))
    (alias outer $c $t (type))
    (core type (module (alias outer 1 0 (type $f)) (export "f" (func (type $f)))))))

;; valid: an instance type within types, with aliases of its types
(component
  (type (component
    (import "i" (instance $i
      (export "r" (type (sub resource)))
      (export "j" (instance (export "s" (type (sub resource)))))))
    (alias export $i "r" (type $r))
    (alias export $i "j" (instance $j))
    (alias export $j "s" (type $s))
    (export "f" (func (param "a" (own $r)) (param "b" (borrow $s)))))))

;; valid: an export of fewer items than the instance has
(component
  (import "f" (func $f))
  (component $c
    (import "f" (func $f))
    (instance $i (export "f" (func $f)) (export "g" (func $f)))
    (export "i" (instance $i) (instance (export "g" (func)))))
  (instance (instantiate $c (with "f" (func $f)))))

;; valid: what an import brings is exported again as what was given for it
(component
  (component $c
    (import "i" (instance $i
      (export "r" (type $r (sub resource)))
      (export "f" (func (param "x" (own $r))))))
    (alias export $i "f" (func $f))
    (export "f" (func $f)))
  (type $r (resource (rep i32)))
  (core func $drop (canon resource.drop $r))
  (func $f (param "x" (own $r)) (canon lift (core func $drop)))
  (instance $i (instantiate $c
    (with "i" (instance (export "r" (type $r)) (export "f" (func $f))))))
  (component $d
    (import "r" (type $r (sub resource)))
    (import "f" (func (param "x" (own $r)))))
  (instance (instantiate $d (with "r" (type $r)) (with "f" (func $i "f")))))

;; valid: the types of an instance keep their names in its functions
(component
  (component $c
    (core module $m (func (export "f") (param i32)))
    (core instance $m (instantiate $m))
    (type $r (resource (rep i32)))
    (export $r2 "r" (type $r))
    (type $rec (record (field "h" (own $r2))))
    (export $rec2 "rec" (type $rec))
    (func $f (param "x" $rec2) (canon lift (core func $m "f")))
    (export "f" (func $f)))
  (instance $i (instantiate $c))
  (export "i" (instance $i)))

;; valid: a type that is given keeps its name
(component
  (component
    (type $rec (record (field "x" u8)))
    (import "rec" (type $rec2 (eq $rec)))
    (import "f" (func $f (param "a" $rec2)))
    (component $c
      (type $rec (record (field "x" u8)))
      (import "rec" (type $rec2 (eq $rec)))
      (import "f" (func $f (param "a" $rec2)))
      (export "f" (func $f)))
    (instance $i (instantiate $c (with "rec" (type $rec2)) (with "f" (func $f))))
    (export "g" (func $i "f"))))

;; valid: outer aliases of types with resources of their own
(component $c
  (type $t (component
    (import "r" (type $r (sub resource)))
    (export "f" (func (param "x" (own $r))))))
  (type $i (instance
    (export "r" (type $r (sub resource)))
    (export "f" (func (param "x" (own $r))))))
  (component (alias outer $c $t (type)) (alias outer $c $i (type))))

;; valid: an instance type refers to what is named where it stands
(component
  (type $rec (record (field "x" u8)))
  (import "rec" (type $rec2 (eq $rec)))
  (import "r" (type $r (sub resource)))
  (type $i (instance (export "f" (func (param "a" $rec2) (param "b" (own $r))))))
  (import "i" (type (eq $i))))

;; invalid: core func 0 of 0: index out of bounds
(component (type (resource (rep i32) (dtor (core func 0)))))

;; invalid: type 5 of 0: index out of bounds
(component (import "f" (func (type 5))))

;; invalid: component 0 of 0: index out of bounds
(component (instance (instantiate 0)))

;; invalid: core module 0 of 0: index out of bounds
(component (core instance (instantiate 0)))

;; invalid: core instance 0 of 0: index out of bounds
(component (alias core export 0 "f" (core func)))

;; invalid: instance 0 of 0: index out of bounds
(component (alias export 0 "f" (func)))

;; invalid: func 0 of 0: index out of bounds
(component (export "f" (func 0)))

;; invalid: core memory 0 of 0: index out of bounds
(component (import "f" (func $f)) (core func (canon lower (func $f) (memory 0))))

;; invalid: type 0 is not a value type
(component (type $f (func)) (type (list $f)))

;; invalid: type 0 is not a resource type
(component (type $t u8) (type (own $t)))

;; invalid: type 0 is not of the sort instance
(component (type (func)) (import "i" (instance (type 0))))

;; invalid: core type 0 is not a module type
(component (core type (func)) (import "m" (core module (type 0))))

;; invalid: record must have at least one label
(component (type (record)))

;; invalid: variant must have at least one label
(component (type (variant)))

;; invalid: enum must have at least one label
(component (type (enum)))

;; invalid: tuple must have at least one element
(component (type (tuple)))

;; invalid: flags must have 1 to 32 labels
(component (type (flags)))

;; invalid: flags must have 1 to 32 labels
(component (type (flags "a1" "a2" "a3" "a4" "a5" "a6" "a7" "a8" "a9" "a10" "a11" "a12" "a13" "a14"
  "a15" "a16" "a17" "a18" "a19" "a20" "a21" "a22" "a23" "a24" "a25" "a26" "a27" "a28" "a29" "a30"
  "a31" "a32" "a33")))

;; invalid: "Not-Kebab-Case" is not in kebab case
(component (type (enum "Not-Kebab-Case")))

;; invalid: "AB" conflicts with "a-b"
(component (type (record (field "a-b" u8) (field "AB" u8))))

;; invalid: parameter name "X" conflicts with "x"
(component (type (func (param "x" u8) (param "X" u8))))

;; invalid: a borrow in the result
(component (type $r (resource (rep i32))) (type (func (result (option (borrow $r))))))

;; invalid: a resource is defined in a type
(component (type (component (type (resource (rep i32))))))

;; invalid: the destructor is (func), not (func (param i32))
(component
  (core module $m (func (export "d")))
  (core instance $i (instantiate $m))
  (type (resource (rep i32) (dtor (core func $i "d")))))

;; invalid: neither in kebab case (a-name) nor an interface
(component (import "wasi:io" (func)))

;; invalid: neither in kebab case (a-name) nor an interface
(component (import "wasi:io/streams@1.2" (instance)))

;; invalid: none of [constructor]type
(component (import "[method]a" (func)))

;; invalid: name "A-B" conflicts with "ab"
(component (import "ab" (func)) (import "A-B" (func)))

;; invalid: conflicts with "a"
(component (import "a" (type $a (sub resource))) (import "[static]a.a" (func)))

;; invalid: only functions have such names
(component (import "a" (type (sub resource))) (import "[static]a.b" (instance)))

;; invalid: no resource "b" is known here
(component (import "[static]b.c" (func)))

;; invalid: a constructor returns own<T>
(component (import "a" (type $a (sub resource))) (import "[constructor]a" (func (result u32))))

;; invalid: a method's first parameter is self
(component (import "a" (type $a (sub resource)))
  (import "[method]a.b" (func (param "me" (borrow $a)))))

;; invalid: its resource is "b", not "a"
(component
  (import "a" (type $a (sub resource))) (import "b" (type $b (sub resource)))
  (import "[method]a.b" (func (param "self" (borrow $b)))))

;; invalid: its resource has no name here
(component
  (import "i" (instance $i (export "a" (type (sub resource)))))
  (alias export $i "a" (type $a))
  (import "[constructor]a" (func (result (own $a)))))

;; invalid: the core function "f" is (func (param i32)), its type () asks for (func)
(component
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (func (canon lift (core func $i "f"))))

;; invalid: needs option memory
(component
  (core module $m (func (export "f") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (param "s" string) (canon lift (core func $i "f"))))

;; invalid: needs option realloc
(component
  (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (param "s" string) (canon lift (core func $i "f") (memory (core memory $i "m")))))

;; invalid: needs option memory
(component
  (import "f" (func $f (result (tuple u32 u32))))
  (core func (canon lower (func $f))))

;; invalid: needs option realloc
(component
  (import "f" (func $f (result string)))
  (core module $m (memory (export "m") 1))
  (core instance $i (instantiate $m))
  (core func (canon lower (func $f) (memory (core memory $i "m")))))

;; invalid: option realloc needs option memory
(component
  (import "f" (func $f))
  (core module $m (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m))
  (core func (canon lower (func $f) (realloc (core func $i "r")))))

;; invalid: option realloc is (func), not (func (param i32 i32 i32 i32) (result i32))
(component
  (import "f" (func $f))
  (core module $m (memory (export "m") 1) (func (export "r")))
  (core instance $i (instantiate $m))
  (core func (canon lower (func $f) (memory (core memory $i "m")) (realloc (core func $i "r")))))

;; invalid: option post-return is (func), not (func (param i32))
(component
  (core module $m (func (export "f") (result i32) unreachable) (func (export "p")))
  (core instance $i (instantiate $m))
  (func (result u32) (canon lift (core func $i "f") (post-return (core func $i "p")))))

;; invalid: only a lift has one
(component
  (import "f" (func $f))
  (core module $m (func (export "p")))
  (core instance $i (instantiate $m))
  (core func (canon lower (func $f) (post-return (core func $i "p")))))

;; invalid: more than one string encoding
(component
  (import "f" (func $f))
  (core func (canon lower (func $f) string-encoding=utf8 string-encoding=utf8)))

;; invalid: option memory is there twice
(component
  (import "f" (func $f))
  (core func (canon lower (func $f) (memory 0) (memory 0))))

;; invalid: type 0 is not a resource that this component defines
(component (import "r" (type $r (sub resource))) (core func (canon resource.new $r)))

;; invalid: type 0 is not a resource that this component defines
(component (import "r" (type $r (sub resource))) (core func (canon resource.rep $r)))

;; invalid: import "x" of the component is not given
(component (component $c (import "x" (func))) (instance (instantiate $c)))

;; invalid: component where func is expected
(component
  (component $c (import "x" (func)))
  (instance (instantiate $c (with "x" (component $c)))))

;; invalid: result: string where nothing is expected
(component
  (import "f" (func $f (result string)))
  (component $c (import "x" (func)))
  (instance (instantiate $c (with "x" (func $f)))))

;; invalid: parameter "y" where "x" is expected
(component
  (import "f" (func $f (param "y" u8)))
  (component $c (import "x" (func (param "x" u8))))
  (instance (instantiate $c (with "x" (func $f)))))

;; invalid: export "b" is missing
(component
  (import "i" (instance $i (export "a" (func))))
  (component $c (import "x" (instance (export "a" (func)) (export "b" (func)))))
  (instance (instantiate $c (with "x" (instance $i)))))

;; invalid: record of 1 where one of 2 is expected
(component
  (type $t (record (field "a" u8)))
  (component $c (type $u (record (field "a" u8) (field "b" u8))) (import "x" (type (eq $u))))
  (instance (instantiate $c (with "x" (type $t)))))

;; invalid: enum: "b" where "a" is expected
(component
  (type $t (enum "b"))
  (component $c (type $u (enum "a")) (import "x" (type (eq $u))))
  (instance (instantiate $c (with "x" (type $t)))))

;; invalid: they are not the same
(component
  (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
  (instance $a (instantiate $c))
  (instance $b (instantiate $c))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $a "r")) (with "y" (type $b "r")))))

;; invalid: they are not the same
(component
  (import "a" (type $a (sub resource)))
  (import "b" (type $b (sub resource)))
  (import "f" (func $f (param "x" (list (own $b)))))
  (component $c
    (import "t" (type $t (sub resource)))
    (import "f" (func (param "x" (list (own $t))))))
  (instance (instantiate $c (with "t" (type $a)) (with "f" (func $f)))))

;; invalid: it imports "g", which it is not given
(component
  (component $taker (import "c" (component (import "f" (func)))))
  (component $given (import "f" (func)) (import "g" (func)))
  (instance (instantiate $taker (with "c" (component $given)))))

;; invalid: it imports "a" "g", which it is not given
(component
  (component $taker (import "m" (core module)))
  (core module $given (import "a" "g" (global i32)))
  (instance (instantiate $taker (with "m" (core module $given)))))

;; invalid: argument "x" is there twice
(component
  (import "f" (func $f))
  (component $c)
  (instance (instantiate $c (with "x" (func $f)) (with "x" (func $f)))))

;; invalid: imports from "a" are not given
(component
  (core module $m (import "a" "f" (func)))
  (core instance (instantiate $m)))

;; invalid: import "a" "f" is not given
(component
  (core module $m (import "a" "f" (func)))
  (core instance (instantiate $m (with "a" (instance)))))

;; invalid: (func (param i64)) where (func (param i32)) is expected
(component
  (core module $m (import "a" "f" (func (param i32))))
  (core module $n (func (export "f") (param i64)))
  (core instance $i (instantiate $n))
  (core instance (instantiate $m (with "a" (instance $i)))))

;; invalid: (global (mut i32)) where (global i32) is expected
(component
  (core module $m (import "a" "g" (global i32)))
  (core module $n (global (export "g") (mut i32) (i32.const 0)))
  (core instance $i (instantiate $n))
  (core instance (instantiate $m (with "a" (instance $i)))))

;; invalid: (memory 1) where (memory 1 2) is expected
(component
  (core module $m (import "a" "m" (memory 1 2)))
  (core module $n (memory (export "m") 1))
  (core instance $i (instantiate $n))
  (core instance (instantiate $m (with "a" (instance $i)))))

;; invalid: (table 1 externref) where (table 1 funcref) is expected
(component
  (core module $m (import "a" "t" (table 1 funcref)))
  (core module $n (table (export "t") 1 externref))
  (core instance $i (instantiate $n))
  (core instance (instantiate $m (with "a" (instance $i)))))

;; invalid: core memory where core func is expected
(component
  (core module $m (import "a" "f" (func)))
  (core module $n (memory (export "f") 1))
  (core instance $i (instantiate $n))
  (core instance (instantiate $m (with "a" (instance $i)))))

;; invalid: export "a" is there twice
(component
  (core module $n (func (export "f")))
  (core instance $i (instantiate $n))
  (core instance (export "a" (func $i "f")) (export "a" (func $i "f"))))

;; invalid: import "a" "f" is there twice
(component (core module (import "a" "f" (func)) (import "a" "f" (func))))

;; invalid: export "f" is there twice
(component (core type (module (export "f" (func)) (export "f" (func)))))

;; invalid: limits of 70000 to 0
(component (core type (module (import "a" "m" (memory 70000)))))

;; invalid: the core instance exports no such name
(component
  (core module $m)
  (core instance $i (instantiate $m))
  (alias core export $i "f" (core func)))

;; invalid: the core instance exports it as core memory
(component
  (core module $m (memory (export "m") 1))
  (core instance $i (instantiate $m))
  (alias core export $i "m" (core func)))

;; invalid: the instance exports no "g"
(component
  (import "i" (instance $i (export "f" (func))))
  (alias export $i "g" (func)))

;; invalid: exports "f" as func, not as instance
(component
  (import "i" (instance $i (export "f" (func))))
  (alias export $i "f" (instance)))

;; invalid: name "F" conflicts with "f"
(component
  (import "f" (func $f))
  (instance (export "f" (func $f)) (export "F" (func $f))))

;; invalid: outer alias 2 levels out: there are fewer
(component (component (alias outer 2 0 (type))))

;; invalid: outer alias of a type that refers to resources
(component $c
  (type $r (resource (rep i32)))
  (type $l (list (own $r)))
  (component (alias outer $c $l (type))))

;; invalid: outer alias of a type that refers to resources
(component $c
  (type $r (resource (rep i32)))
  (type $i (instance (export "f" (func (param "x" (own $r))))))
  (component (alias outer $c $i (type))))

;; invalid: alias of func within a type
(component (type (component
  (import "i" (instance $i (export "f" (func))))
  (alias export $i "f" (func)))))

;; invalid: alias of a module type within a module type
(component (core type $m (module)) (core type (module (alias outer 1 0 (type)))))

;; invalid: has no name among the exports
(component
  (core module $m (func (export "f") (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $r (resource (rep i32)))
  (func $f (result (own $r)) (canon lift (core func $i "f")))
  (export "r" (type $r))
  (export "f" (func $f)))

;; invalid: has no name among the exports
(component
  (core module $m (func (export "f") (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $e (enum "a" "b"))
  (func $f (result (tuple $e)) (canon lift (core func $i "f")))
  (export "f" (func $f)))

;; invalid: has no name among the imports
(component
  (type $r (record (field "x" u8)))
  (import "f" (func (param "a" $r))))

;; invalid: has no name among the exports
(component
  (core module $m (func (export "f") (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $r (resource (rep i32)))
  (func $f (result (own $r)) (canon lift (core func $i "f")))
  (instance $bag (export "f" (func $f)))
  (export "i" (instance $bag)))

;; invalid: refers to a type that has no name among the exports
(component
  (type $r (record (field "x" u8)))
  (type $s (record (field "r" $r)))
  (export "s" (type $s)))

;; invalid: has its name from an export
(component
  (type $r (record (field "x" u8)))
  (export $r2 "r" (type $r))
  (import "s" (type (eq $r2))))

;; invalid: has no name among the exports
(component
  (type $r (record (field "x" u8)))
  (type $i (instance (export "f" (func (param "a" $r)))))
  (export "i" (type $i)))

;; invalid: is not of the type it is given
(component
  (import "f" (func $f (param "x" u8)))
  (export "g" (func $f) (func (param "x" u16))))

;; invalid: they are not the same
(component
  (component $c
    (type $r (resource (rep i32)))
    (export "a" (type $r))
    (export "b" (type $r) (type (sub resource))))
  (instance $i (instantiate $c))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $i "a")) (with "y" (type $i "b")))))

;; invalid: they are not the same
(component
  (component $c
    (type $r (resource (rep i32)))
    (export "r" (type $r) (type (sub resource))))
  (instance $a (instantiate $c))
  (instance $b (instantiate $c))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $a "r")) (with "y" (type $b "r")))))

;; invalid: they are not the same
(component
  (component $c
    (component $d (type $r (resource (rep i32))) (export "r" (type $r)))
    (instance $i (instantiate $d))
    (export "r" (type $i "r")))
  (instance $a (instantiate $c))
  (instance $b (instantiate $c))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $a "r")) (with "y" (type $b "r")))))

;; invalid: (memory 0) where (memory 1) is expected
(component
  (core module $m (import "a" "m" (memory 1)))
  (core module $n (memory (export "m") 0))
  (core instance $i (instantiate $n))
  (core instance (instantiate $m (with "a" (instance $i)))))

;; invalid: stream type: not served: build without async
(component (type (stream u8)))

;; invalid: future type: not served: build without async
(component (type (future)))

;; invalid: async function type: not served: build without async
(component (import "f" (func async)))

;; invalid: error-context type: not served: build without async
(component (type error-context))

;; invalid: canon task.return (0x09): not served: build without async
(component (core func (canon task.return)))

;; invalid: canon waitable-set.new (0x1f): not served: build without async
(component (core func (canon waitable-set.new)))

;; invalid: canon option async or callback: not served
(component (import "f" (func $f)) (core func (canon lower (func $f) async)))

;; invalid: value definitions: not served
(component (import "v" (value u8)))

;; invalid: list type of fixed length: not served
(component (type (list u8 4)))

;; invalid: memory64: not served: build for wasm32
(component (core module (memory i64 1)))

;; invalid: shared memory (threads): not served: build without threads
(component (core module (memory 1 2 shared)))

;; invalid: core type of the GC proposal: not served
(component (core module (type (struct))))

;; invalid: core tag (exception handling): not served
(component (core module (tag)))
