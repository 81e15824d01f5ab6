;; Aliases: of what instances export, of what core instances export, of what stands further out.

;; aliases of everything an instance can export
(component
  (component
    (import "host" (instance $host
      (export "f" (func (param "a" string)))
      (export "m" (core module (export "g" (func))))
      (export "c" (component (import "x" (func))))
      (export "i" (instance (export "deep" (func))))
      (export "t" (type (sub resource)))))
    (alias export $host "f" (func $f))
    (alias export $host "m" (core module $m))
    (alias export $host "c" (component $c))
    (alias export $host "i" (instance $i))
    (alias export $host "t" (type $t))
    (alias export $i "deep" (func $deep))
    (core instance (instantiate $m))
    (instance (instantiate $c (with "x" (func $deep))))
    (type (func (param "t" (borrow $t))))
    (export "f" (func $f))))

;; aliases of everything a core instance can export
(component
  (core module $m
    (func (export "f"))
    (table (export "t") 1 funcref)
    (memory (export "m") 1)
    (global (export "g") i32 (i32.const 7)))
  (core instance $i (instantiate $m))
  (alias core export $i "f" (core func $f))
  (alias core export $i "t" (core table $t))
  (alias core export $i "m" (core memory $mem))
  (alias core export $i "g" (core global $g))
  (core instance (export "a" (func $f)) (export "b" (table $t)) (export "c" (memory $mem))
    (export "d" (global $g))))

;; an export that is not there
(assert_invalid
  (component (import "i" (instance $i (export "a" (func)))) (alias export $i "b" (func)))
  "no \"b\"")
;; an export of another sort
(assert_invalid
  (component (import "i" (instance $i (export "a" (func)))) (alias export $i "a" (instance)))
  "exports \"a\" as")
;; a function taken for a type
(assert_invalid
  (component (import "i" (instance $i (export "a" (func)))) (alias export $i "a" (type)))
  "exports \"a\" as")
;; the export of an instance that is not there
(assert_invalid (component (alias export 0 "a" (func))) "index out of bounds")
;; a core export that is not there
(assert_invalid
  (component (core module $m) (core instance $i (instantiate $m))
    (alias core export $i "f" (core func)))
  "\"f\"")
;; a core export of another sort
(assert_invalid
  (component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (alias core export $i "f" (core memory)))
  "exports")
;; the export of a core instance that is not there
(assert_invalid (component (alias core export 3 "f" (core func))) "index out of bounds")
;; names of exports are exact
(assert_invalid
  (component (import "i" (instance $i (export "a-b" (func)))) (alias export $i "A-B" (func)))
  "no \"A-B\"")

;; outer aliases of modules, types and components
(component $C
  (core module $m)
  (core type $ct (func))
  (type $t (record (field "a" string)))
  (component $n (instance $i) (export "x" (instance $i)))
  (component
    (alias outer $C $m (core module $m2))
    (alias outer $C $ct (core type $ct2))
    (alias outer $C $t (type $t2))
    (alias outer $C $n (component $n2))
    (core instance (instantiate $m2))
    (instance (instantiate $n2))
    (type (list $t2))))
;; an outer alias of the component itself
(component $C
  (type $t u8)
  (component $x)
  (alias outer 0 0 (type $u))
  (alias outer $C $x (component $y))
  (instance (instantiate $y))
  (type (list $u)))
;; an outer alias two levels out
(component $A
  (type $t (tuple u8 u8))
  (component (component (alias outer $A $t (type $u)) (type (option $u)))))
;; an outer alias of an alias
(component $A
  (type $t (list u8))
  (component $B
    (alias outer $A $t (type $u))
    (component (alias outer $B $u (type $v)) (type (option $v)))))
;; types count as levels
(component $A
  (type $t u8)
  (type (component (type (instance (alias outer $A $t (type $u)) (export "x" (type (eq $u))))))))

;; too many levels out
(assert_invalid (component (component (alias outer 2 0 (type)))) "levels out")
;; far too many levels out
(assert_invalid (component (alias outer 4294967295 0 (type))) "levels out")
;; an outer type that is not there
(assert_invalid (component (type u8) (component (alias outer 1 1 (type)))) "index out of bounds")
;; an outer type that comes later
(assert_invalid (component (component (alias outer 1 0 (type))) (type u8)) "index out of bounds")
;; an outer module that is not there
(assert_invalid (component (component (alias outer 1 0 (core module)))) "index out of bounds")
;; an outer component that is not there
(assert_invalid (component (alias outer 0 0 (component))) "index out of bounds")
;; an outer core type that is not there
(assert_invalid (component (alias outer 0 5 (core type))) "index out of bounds")

;; a resource does not cross the border of a component
(assert_invalid
  (component $A (type $r (resource (rep i32))) (component (alias outer $A $r (type))))
  "resource")
;; nor an imported one
(assert_invalid
  (component $A (import "r" (type $r (sub resource))) (component (alias outer $A $r (type))))
  "resource")
;; nor a handle of it
(assert_invalid
  (component $A (type $r (resource (rep i32))) (type $o (own $r))
    (component (alias outer $A $o (type))))
  "resource")
;; nor a record with a handle of it
(assert_invalid
  (component $A (type $r (resource (rep i32))) (type $o (record (field "a" (list (borrow $r)))))
    (component (component (alias outer $A $o (type)))))
  "resource")
;; nor a function with a handle of it
(assert_invalid
  (component $A (type $r (resource (rep i32))) (type $f (func (param "a" (own $r))))
    (component (alias outer $A $f (type))))
  "resource")
;; nor an instance type that speaks of it
(assert_invalid
  (component $A (type $r (resource (rep i32))) (type $i (instance (export "a" (type (eq $r)))))
    (component (alias outer $A $i (type))))
  "resource")
;; an instance type with a resource of its own does
(component $A
  (type $i (instance (export "r" (type $r (sub resource))) (export "f" (func (result (own $r))))))
  (component (alias outer $A $i (type $j)) (type (component (import "i" (instance (type $j)))))))
;; within the component a resource may be aliased into types
(component $A
  (type $r (resource (rep i32)))
  (type (component
    (alias outer $A $r (type $s))
    (export "s" (type $t (eq $s)))
    (export "f" (func (param "s" (borrow $t))))))
  (type (instance (alias outer $A $r (type $s)) (export "r" (type (eq $s))))))
