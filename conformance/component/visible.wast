;; Imports and exports: what they refer to, and which types must have a name outside.

;; what is imported may be exported
(component
  (component
    (import "f" (func $f))
    (import "i" (instance $i))
    (import "m" (core module $m))
    (import "c" (component $c))
    (import "t" (type $t (sub resource)))
    (export "f2" (func $f))
    (export "i2" (instance $i))
    (export "m2" (core module $m))
    (export "c2" (component $c))
    (export "t2" (type $t))))

;; an export is an item of its own
(component
  (component
    (import "f" (func $f))
    (export $g "g" (func $f))
    (export $h "h" (func $g))
    (component $c (import "x" (func)))
    (instance (instantiate $c (with "x" (func $h))))))

;; an export that is not there
(assert_invalid (component (export "a" (func 0))) "index out of bounds")
;; an export of an instance that is not there
(assert_invalid (component (export "a" (instance 2))) "index out of bounds")
;; an export of a component that is not there
(assert_invalid (component (export "a" (component 0))) "index out of bounds")
;; an export of a module that is not there
(assert_invalid (component (export "a" (core module 0))) "index out of bounds")
;; an export of a type that is not there
(assert_invalid (component (export "a" (type 0))) "index out of bounds")
;; an import of a function type that is not there
(assert_invalid (component (import "a" (func (type 6)))) "index out of bounds")
;; an import of a type equal to one that is not there
(assert_invalid (component (import "a" (type (eq 1)))) "index out of bounds")
;; a function import of an instance type
(assert_invalid (component (type $t (instance)) (import "a" (func (type $t)))) "func")
;; an instance import of a function type
(assert_invalid (component (type $t (func)) (import "a" (instance (type $t)))) "instance")
;; a component import of a function type
(assert_invalid (component (type $t (func)) (import "a" (component (type $t)))) "component")
;; a module import of a core function type
(assert_invalid
  (component (core type $t (func)) (import "a" (core module (type $t))))
  "not a module type")

;; an ascribed export of a wider type
(component
  (component
    (import "i" (instance $i (export "a" (func)) (export "b" (func))))
    (export "j" (instance $i) (instance (export "a" (func))))))
;; an ascribed export of a narrower type
(assert_invalid
  (component
    (import "i" (instance $i (export "a" (func))))
    (export "j" (instance $i) (instance (export "a" (func)) (export "b" (func)))))
  "\"b\"")
;; what the ascribed type does not say is not there
(assert_invalid
  (component
    (import "i" (instance $i (export "a" (func)) (export "b" (func))))
    (export $j "j" (instance $i) (instance (export "a" (func))))
    (alias export $j "b" (func)))
  "no \"b\"")
;; an ascribed export of another sort
(assert_invalid
  (component (import "f" (func $f)) (export "g" (func $f) (instance)))
  "func where instance is expected")
;; an ascribed function of another type
(assert_invalid
  (component (import "f" (func $f (param "a" u8))) (export "g" (func $f) (func (param "a" u16))))
  "u8")

;; tuples, lists, options and results need no name
(component
  (type $t (tuple u8 (list (option (result string (error (tuple char)))))))
  (export "t" (type $t))
  (component (import "f" (func (param "a" (list (tuple string string))) (result (option u8))))))
;; a named record may be used by what follows
(component
  (type $r' (record (field "a" u8)))
  (export $r "r" (type $r'))
  (type $s' (record (field "r" $r)))
  (export "s" (type $s')))
;; a record in a record without a name
(assert_invalid
  (component
    (type $r (record (field "a" u8)))
    (type $s (record (field "r" $r)))
    (export "s" (type $s)))
  "no name")
;; an enum in a list without a name
(assert_invalid
  (component (type $e (enum "a")) (type $l (list $e)) (export "l" (type $l)))
  "no name")
;; flags in a tuple without a name
(assert_invalid
  (component (type $f (flags "a")) (type $t (tuple u8 $f)) (export "t" (type $t)))
  "no name")
;; a variant in an option without a name
(assert_invalid
  (component (type $v (variant (case "a"))) (type $o (option $v)) (export "o" (type $o)))
  "no name")
;; a record in an error without a name
(assert_invalid
  (component (type $r (record (field "a" u8))) (type $o (result (error $r))) (export "o" (type $o)))
  "no name")
;; a resource in a list without a name
(assert_invalid
  (component (type $r (resource (rep i32))) (type $l (list (own $r))) (export "l" (type $l)))
  "no name")
;; the name is of the export, not of what was exported
(assert_invalid
  (component
    (type $r (record (field "a" u8)))
    (export "r" (type $r))
    (type $l (list $r))
    (export "l" (type $l)))
  "no name")
;; an imported function with a record without a name
(assert_invalid
  (component (type $r (record (field "a" u8))) (import "f" (func (param "r" $r))))
  "no name")
;; an imported function with an imported record
(component
  (component
    (type $r' (record (field "a" u8)))
    (import "r" (type $r (eq $r')))
    (import "f" (func $f (param "r" $r) (result (list $r))))
    (export "g" (func $f))))
;; an imported function with an exported record
(assert_invalid
  (component
    (type $r' (enum "a"))
    (export $r "r" (type $r'))
    (import "f" (func (result $r))))
  "no name")
;; a lifted function with a record without a name
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (type $r (record (field "a" u8)))
    (func $f (param "r" $r) (canon lift (core func $i "f")))
    (export "f" (func $f)))
  "no name")
;; a lifted function with an exported record
(component
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (type $r' (record (field "a" u8)))
  (export $r "r" (type $r'))
  (func $f (param "r" $r) (canon lift (core func $i "f")))
  (export "f" (func $f)))
;; a lifted function ascribed with an exported record
(component
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (type $r' (record (field "a" u8)))
  (func $f (param "r" $r') (canon lift (core func $i "f")))
  (export $r "r" (type $r'))
  (export "f" (func $f) (func (param "r" $r))))
;; inside, nothing needs a name
(component
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (type $r (record (field "a" u8)))
  (func $f (param "r" $r) (canon lift (core func $i "f")))
  (instance (export "f" (func $f)) (export "deep" (type $r))))
;; an instance of it cannot be exported
(assert_invalid
  (component
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (type $r (record (field "a" u8)))
    (func $f (param "r" $r) (canon lift (core func $i "f")))
    (instance $inst (export "f" (func $f)))
    (export "inst" (instance $inst)))
  "no name")
;; an instance that exports the record as well can
(component
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (type $r (record (field "a" u8)))
  (func $f (param "r" $r) (canon lift (core func $i "f")))
  (component $wrap
    (type $r' (record (field "a" u8)))
    (import "r" (type $r (eq $r')))
    (import "f" (func $f (param "r" $r)))
    (export $out "r" (type $r))
    (export "f" (func $f) (func (param "r" $out))))
  (instance $inst (instantiate $wrap (with "r" (type $r)) (with "f" (func $f))))
  (export "inst" (instance $inst)))
;; a name through an exported instance
(component
  (type $r' (enum "a" "b"))
  (instance $types' (export "r" (type $r')))
  (export $types "types" (instance $types'))
  (alias export $types "r" (type $r))
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (func $f (param "r" $r) (canon lift (core func $i "f")))
  (export "f" (func $f)))
;; a name through an instance that is not exported
(assert_invalid
  (component
    (type $r' (enum "a" "b"))
    (instance $types (export "r" (type $r')))
    (alias export $types "r" (type $r))
    (core module $m (func (export "f") (param i32)))
    (core instance $i (instantiate $m))
    (func $f (param "r" $r) (canon lift (core func $i "f")))
    (export "f" (func $f)))
  "no name")
;; a name through an imported instance
(component
  (component
    (import "types" (instance $types
      (type $q' (enum "zero" "one"))
      (export "qos" (type $q (eq $q')))
      (type $m' (record (field "qos" $q)))
      (export "message" (type (eq $m')))))
    (alias export $types "message" (type $m))
    (import "publish" (func (param "m" $m)))))
;; a component type checks its names
(assert_invalid
  (component
    (type (component
      (type $r (record (field "a" u8)))
      (import "f" (func (param "r" $r))))))
  "no name")
;; an import cannot use a name that a component type exports
(assert_invalid
  (component
    (type (component
      (export "r" (type $r (sub resource)))
      (import "f" (func (param "r" (own $r)))))))
  "no name")
;; an instance type alone does not
(component
  (type (instance
    (type $r (record (field "a" u8)))
    (export "f" (func (param "r" $r))))))
;; but the import of such an instance does
(assert_invalid
  (component
    (type $i (instance
      (type $r (record (field "a" u8)))
      (export "f" (func (param "r" $r)))))
    (import "i" (instance (type $i))))
  "no name")
;; a record from outside has no name inside
(assert_invalid
  (component
    (type $r' (record (field "a" u8)))
    (import "r" (type $r (eq $r')))
    (component (import "f" (func (param "r" $r)))))
  "no name")
