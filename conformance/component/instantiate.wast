;; Instances of components: what is given for an import must be of its type.

;; arguments of every sort
(component
  (component
    (import "f" (func $f (param "a" string)))
    (import "i" (instance $i (export "g" (func))))
    (import "m" (core module $m (export "run" (func))))
    (import "c" (component $c (import "x" (func))))
    (import "t" (type $t (sub resource)))
    (component $child
      (import "f" (func (param "a" string)))
      (import "i" (instance (export "g" (func))))
      (import "m" (core module (export "run" (func))))
      (import "c" (component (import "x" (func))))
      (import "t" (type (sub resource))))
    (instance (instantiate $child
      (with "f" (func $f)) (with "i" (instance $i)) (with "m" (core module $m))
      (with "c" (component $c)) (with "t" (type $t))))))

;; an inline instance as an argument
(component
  (component
    (import "get" (func $get (param "k" string) (result string)))
    (component $child
      (import "kv" (instance (export "fetch" (func (param "k" string) (result string)))))
      (export "kv" (instance 0)))
    (instance (instantiate $child (with "kv" (instance (export "fetch" (func $get))))))))

;; arguments that nobody asks for
(component
  (component $child)
  (instance $i (instantiate $child))
  (instance (instantiate $child (with "what-for" (instance $i)) (with "Not A Name" (instance $i)))))

;; an instance may export more than is asked for
(component
  (component
    (import "i" (instance $i (export "a" (func)) (export "b" (func)) (export "c" (func))))
    (component $child (import "x" (instance (export "b" (func)))))
    (instance (instantiate $child (with "x" (instance $i))))))

;; a component may import less and export more than is asked for
(component
  (component $give (import "a" (func $a)) (export "x" (func $a)) (export "y" (func $a)))
  (component $take
    (import "c" (component (import "a" (func)) (import "b" (func)) (export "x" (func)))))
  (instance (instantiate $take (with "c" (component $give)))))

;; types are the same by structure
(component
  (type $a (record (field "topic" string) (field "qos" (option u8))))
  (component $child
    (type $o (option u8))
    (type $b (record (field "topic" string) (field "qos" $o)))
    (import "message" (type (eq $b))))
  (instance (instantiate $child (with "message" (type $a)))))

;; an instance used as an instance
(component
  (component $a (component $in) (export "c" (component $in)))
  (instance $i (instantiate $a))
  (alias export $i "c" (component $c))
  (instance (instantiate $c)))

;; a component that is not there
(assert_invalid (component (instance (instantiate 0))) "index out of bounds")
;; a component that comes later
(assert_invalid (component (instance (instantiate 0)) (component)) "index out of bounds")
;; an argument that is not there
(assert_invalid
  (component (component $c) (instance (instantiate $c (with "a" (func 3)))))
  "index out of bounds")
;; an argument twice
(assert_invalid
  (component
    (component $c)
    (instance (instantiate $c (with "a" (component $c)) (with "a" (component $c)))))
  "argument \"a\" is there twice")
;; an import that is not given
(assert_invalid
  (component (component $c (import "f" (func))) (instance (instantiate $c)))
  "\"f\"")
;; an argument under another name
(assert_invalid
  (component
    (component
      (import "f" (func $f))
      (component $c (import "f" (func)))
      (instance (instantiate $c (with "F" (func $f))))))
  "\"f\"")
;; an instance where a component is needed
(assert_invalid
  (component
    (component $x)
    (instance $i (instantiate $x))
    (component $c (import "a" (component)))
    (instance (instantiate $c (with "a" (instance $i)))))
  "component")
;; a component where a function is needed
(assert_invalid
  (component
    (component $x)
    (component $c (import "a" (func)))
    (instance (instantiate $c (with "a" (component $x)))))
  "func")
;; a module where an instance is needed
(assert_invalid
  (component
    (core module $m)
    (component $c (import "a" (instance)))
    (instance (instantiate $c (with "a" (core module $m)))))
  "instance")

;; a function with a parameter too many
(assert_invalid
  (component
    (import "f" (func $f (param "a" u8)))
    (component $c (import "f" (func)))
    (instance (instantiate $c (with "f" (func $f)))))
  "parameters")
;; a function with a parameter of another name
(assert_invalid
  (component
    (import "f" (func $f (param "topic" string)))
    (component $c (import "f" (func (param "filter" string))))
    (instance (instantiate $c (with "f" (func $f)))))
  "\"topic\"")
;; a function with a parameter of another type
(assert_invalid
  (component
    (import "f" (func $f (param "a" u8)))
    (component $c (import "f" (func (param "a" u16))))
    (instance (instantiate $c (with "f" (func $f)))))
  "u8")
;; a function with a result too many
(assert_invalid
  (component
    (import "f" (func $f (result u8)))
    (component $c (import "f" (func)))
    (instance (instantiate $c (with "f" (func $f)))))
  "result")
;; a function with a result too few
(assert_invalid
  (component
    (import "f" (func $f))
    (component $c (import "f" (func (result u8))))
    (instance (instantiate $c (with "f" (func $f)))))
  "result")
;; an instance without an export that is needed
(assert_invalid
  (component
    (import "i" (instance $i (export "a" (func))))
    (component $c (import "i" (instance (export "a" (func)) (export "b" (func)))))
    (instance (instantiate $c (with "i" (instance $i)))))
  "\"b\"")
;; an instance with an export of another sort
(assert_invalid
  (component
    (import "i" (instance $i (export "a" (func))))
    (component $c (import "i" (instance (export "a" (core module)))))
    (instance (instantiate $c (with "i" (instance $i)))))
  "\"a\"")
;; an instance whose inner instance lacks an export
(assert_invalid
  (component
    (import "i" (instance $i (export "j" (instance))))
    (component $c (import "i" (instance (export "j" (instance (export "k" (func)))))))
    (instance (instantiate $c (with "i" (instance $i)))))
  "\"k\"")
;; a component that imports more than it will get
(assert_invalid
  (component
    (component $give (import "secret" (func)))
    (component $take (import "c" (component)))
    (instance (instantiate $take (with "c" (component $give)))))
  "secret")
;; a component that exports less than is asked for
(assert_invalid
  (component
    (component $give)
    (component $take (import "c" (component (export "run" (func)))))
    (instance (instantiate $take (with "c" (component $give)))))
  "run")

;; u8 given for u16
(assert_invalid
  (component (component $c (type $t u16) (import "t" (type (eq $t))))
    (type $x u8) (instance (instantiate $c (with "t" (type $x)))))
  "u8")
;; a record given for a number
(assert_invalid
  (component (component $c (type $t u16) (import "t" (type (eq $t))))
    (type $x (record (field "a" u16))) (instance (instantiate $c (with "t" (type $x)))))
  "record")
;; a record with a field too many
(assert_invalid
  (component (component $c (type $t (record (field "a" u8))) (import "t" (type (eq $t))))
    (type $x (record (field "a" u8) (field "b" u8)))
    (instance (instantiate $c (with "t" (type $x)))))
  "record")
;; a record with fields in another order
(assert_invalid
  (component
    (component $c
      (type $t (record (field "a" u8) (field "b" u8))) (import "t" (type (eq $t))))
    (type $x (record (field "b" u8) (field "a" u8)))
    (instance (instantiate $c (with "t" (type $x)))))
  "\"b\"")
;; a record with a field of another type
(assert_invalid
  (component (component $c (type $t (record (field "a" (list u8)))) (import "t" (type (eq $t))))
    (type $x (record (field "a" (list s8)))) (instance (instantiate $c (with "t" (type $x)))))
  "s8")
;; a tuple for a record
(assert_invalid
  (component (component $c (type $t (record (field "a" u8))) (import "t" (type (eq $t))))
    (type $x (tuple u8)) (instance (instantiate $c (with "t" (type $x)))))
  "tuple")
;; a tuple of another length
(assert_invalid
  (component (component $c (type $t (tuple u8 u8)) (import "t" (type (eq $t))))
    (type $x (tuple u8)) (instance (instantiate $c (with "t" (type $x)))))
  "tuple")
;; a variant with a case of another name
(assert_invalid
  (component (component $c (type $t (variant (case "a") (case "b"))) (import "t" (type (eq $t))))
    (type $x (variant (case "a") (case "c"))) (instance (instantiate $c (with "t" (type $x)))))
  "\"c\"")
;; a variant with a case too few
(assert_invalid
  (component (component $c (type $t (variant (case "a") (case "b"))) (import "t" (type (eq $t))))
    (type $x (variant (case "a"))) (instance (instantiate $c (with "t" (type $x)))))
  "variant")
;; a variant with a payload too many
(assert_invalid
  (component (component $c (type $t (variant (case "a"))) (import "t" (type (eq $t))))
    (type $x (variant (case "a" u8))) (instance (instantiate $c (with "t" (type $x)))))
  "variant")
;; a variant with a payload of another type
(assert_invalid
  (component (component $c (type $t (variant (case "a" u8))) (import "t" (type (eq $t))))
    (type $x (variant (case "a" string))) (instance (instantiate $c (with "t" (type $x)))))
  "string")
;; an enum for a variant without payloads
(assert_invalid
  (component (component $c (type $t (variant (case "a"))) (import "t" (type (eq $t))))
    (type $x (enum "a")) (instance (instantiate $c (with "t" (type $x)))))
  "enum")
;; an enum with other labels
(assert_invalid
  (component (component $c (type $t (enum "a" "b")) (import "t" (type (eq $t))))
    (type $x (enum "b" "a")) (instance (instantiate $c (with "t" (type $x)))))
  "enum")
;; flags with a label too many
(assert_invalid
  (component (component $c (type $t (flags "a")) (import "t" (type (eq $t))))
    (type $x (flags "a" "b")) (instance (instantiate $c (with "t" (type $x)))))
  "flags")
;; an option for what it holds
(assert_invalid
  (component (component $c (type $t u8) (import "t" (type (eq $t))))
    (type $x (option u8)) (instance (instantiate $c (with "t" (type $x)))))
  "option")
;; an option of another type
(assert_invalid
  (component (component $c (type $t (option u8)) (import "t" (type (eq $t))))
    (type $x (option u16)) (instance (instantiate $c (with "t" (type $x)))))
  "u16")
;; a result with an error that is not there
(assert_invalid
  (component (component $c (type $t (result u8 (error u8))) (import "t" (type (eq $t))))
    (type $x (result u8)) (instance (instantiate $c (with "t" (type $x)))))
  "result")
;; a result whose sides are exchanged
(assert_invalid
  (component (component $c (type $t (result u8)) (import "t" (type (eq $t))))
    (type $x (result (error u8))) (instance (instantiate $c (with "t" (type $x)))))
  "result")
;; a function type for a value type
(assert_invalid
  (component (component $c (type $t u8) (import "t" (type (eq $t))))
    (type $x (func)) (instance (instantiate $c (with "t" (type $x)))))
  "function type where u8 type is expected")

;; an inline instance with an export twice
(assert_invalid
  (component (component $c) (instance (export "a" (component $c)) (export "a" (component $c))))
  "conflicts")
;; an inline export that is not there
(assert_invalid (component (instance (export "a" (func 0)))) "index out of bounds")
;; an inline export of a component that is not there
(assert_invalid (component (instance (export "a" (component 1)))) "index out of bounds")
;; an inline export of an instance that is itself
(assert_invalid (component (instance (export "a" (instance 0)))) "index out of bounds")
;; an inline export of a type that is not there
(assert_invalid (component (instance (export "a" (type 0)))) "index out of bounds")
;; an inline export of a module that is not there
(assert_invalid (component (instance (export "a" (core module 0)))) "index out of bounds")
