;; Types of functions, and of components and instances: their own index spaces, and what a
;; declaration may refer to.

;; functions of many forms
(component
  (type (func))
  (type (func (param "topic" string) (param "payload" (list u8)) (result (option string))))
  (type (func (result (tuple u8 u8))))
  (type (func (param "a" bool))))

;; a parameter without a name
(assert_invalid (component (type (func (param "" u8)))) "kebab case")
;; a parameter in camel case
(assert_invalid (component (type (func (param "topicFilter" u8)))) "kebab case")
;; two parameters of one name
(assert_invalid (component (type (func (param "a" u8) (param "a" u8)))) "conflicts")
;; two parameters that differ in case alone
(assert_invalid (component (type (func (param "ab" u8) (param "AB" u8)))) "conflicts")
;; a parameter of a type that is not there
(assert_invalid (component (type (func (param "a" 0)))) "index out of bounds")
;; a result of a function type
(assert_invalid (component (type $f (func)) (type (func (result $f)))) "not a value type")
;; a parameter of a component type
(assert_invalid (component (type $c (component)) (type (func (param "c" $c)))) "not a value type")

;; a borrow may be a parameter
(component
  (import "message" (type $message (sub resource)))
  (type (func (param "m" (borrow $message)) (result (own $message))))
  (type (func (param "m" (list (borrow $message))))))

;; a borrow may not be a result
(assert_invalid
  (component
    (import "message" (type $message (sub resource)))
    (type (func (result (borrow $message)))))
  "borrow")
;; nor deep in a result
(assert_invalid
  (component
    (import "message" (type $message (sub resource)))
    (type $held (record (field "m" (borrow $message))))
    (type (func (result (option (list (tuple u8 $held)))))))
  "borrow")
;; nor as the error of a result
(assert_invalid
  (component
    (import "message" (type $message (sub resource)))
    (type (func (result (result (error (borrow $message)))))))
  "borrow")

;; an instance type with types of its own
(component
  (type (instance
    (type $qos (enum "zero" "one" "two"))
    (export "qos" (type $q (eq $qos)))
    (export "publish" (func (param "topic" string) (param "qos" $q)))
    (export "inner" (instance (export "f" (func))))
    (export "code" (core module (export "run" (func)))))))

;; a component type with imports and exports
(component
  (type (component
    (import "log" (func (param "text" string)))
    (import "store" (instance (export "get" (func (param "key" string) (result string)))))
    (import "handle" (type $h (sub resource)))
    (export "use" (func (param "h" (borrow $h))))
    (export "made" (type (sub resource)))
    (export "child" (component (import "x" (func)))))))

;; declarations see the aliases and exports before them
(component
  (type (component
    (import "types" (instance $types (export "id" (type (sub resource)))))
    (alias export $types "id" (type $id))
    (import "close" (func (param "id" (own $id))))
    (export "again" (type $id2 (eq $id)))
    (export "open" (func (result (own $id2)))))))

;; an export of an instance type is a type for what follows
(component
  (type (instance
    (type $t u8)
    (export "a" (type $a (eq $t)))
    (export "b" (type $b (eq $a)))
    (export "f" (func (param "x" $b))))))

;; a function export of a type that is none
(assert_invalid
  (component (type $t (instance)) (type (instance (export "f" (func (type $t))))))
  "type 0 is not of the sort func")
;; an instance export of a function type
(assert_invalid
  (component (type $t (func)) (type (component (export "i" (instance (type $t))))))
  "instance")
;; a component import of an instance type
(assert_invalid
  (component (type $t (instance)) (type (component (import "c" (component (type $t))))))
  "component")
;; a module import of a core function type
(assert_invalid
  (component (core type $t (func)) (type (component (import "m" (core module (type $t))))))
  "not a module type")
;; a type within a type that is not there
(assert_invalid (component (type (instance (export "f" (func (type 4)))))) "index out of bounds")
;; the types outside are not seen inside
(assert_invalid
  (component
    (type u8) (type u16) (type (func))
    (type (instance (export "f" (func (type 2))))))
  "index out of bounds")

;; two exports of one name in an instance type
(assert_invalid
  (component (type (instance (export "a" (func)) (export "a" (func)))))
  "conflicts")
;; two exports that differ in case alone
(assert_invalid
  (component (type (instance (export "on-PUBLISH" (func)) (export "ON-publish" (func)))))
  "conflicts")
;; two imports of one name in a component type
(assert_invalid
  (component (type (component (import "a" (func)) (import "a" (instance)))))
  "conflicts")
;; an import and an export may have one name
(component (type (component (import "a" (func)) (export "a" (func)))))

;; a resource cannot be defined in a component type
(assert_invalid (component (type (component (type (resource (rep i32)))))) "resource")
;; a resource cannot be defined in an instance type
(assert_invalid (component (type (instance (type (resource (rep i32)))))) "resource")

;; an outer alias of a type in a type
(component $C
  (type $t (record (field "a" u8)))
  (core type $f (func (param i32)))
  (type (component
    (alias outer $C $t (type $mine))
    (alias outer $C $f (core type $code))
    (type $l (list $mine)))))
;; an outer alias of a component in a type
(assert_invalid
  (component $C (component $x) (type (component (alias outer $C $x (component $y)))))
  "within a type")
;; an outer alias of a module in an instance type
(assert_invalid
  (component $C (core module $m) (type (instance (alias outer $C $m (core module $n)))))
  "within a type")
;; an alias of an exported function in a type
(assert_invalid
  (component
    (type (component
      (import "i" (instance $i (export "f" (func))))
      (alias export $i "f" (func $f)))))
  "within a type")
;; an alias of an exported instance in a type
(component
  (type (component
    (import "i" (instance $i (export "j" (instance (export "t" (type (sub resource)))))))
    (alias export $i "j" (instance $j))
    (alias export $j "t" (type $t))
    (export "f" (func (param "t" (own $t)))))))
