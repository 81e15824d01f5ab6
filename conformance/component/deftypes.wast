;; Definitions of value types: what they may be made of, how many labels they have, how big they get.

;; every primitive type
(component
  (type bool) (type u8) (type s8) (type u16) (type s16) (type u32) (type s32)
  (type u64) (type s64) (type f32) (type f64) (type char) (type string))

;; every kind of compound type
(component
  (type $message (record (field "topic" string) (field "payload" (list u8)) (field "qos" u8)))
  (type $decision (variant (case "allow") (case "deny" string) (case "redirect" $message)))
  (type (list $message))
  (type (tuple $message u64 (tuple char)))
  (type (flags "retain" "dup"))
  (type (enum "connect" "publish" "subscribe"))
  (type (option $decision))
  (type (result))
  (type (result $message))
  (type (result (error string)))
  (type (result $message (error $decision))))

;; a type may be named many times
(component
  (type $id u32)
  (type $pair (tuple $id $id))
  (type (record (field "a" $pair) (field "b" $pair) (field "c" (list $pair)))))

;; labels with digits and capital words
(component
  (type (record (field "MQTT5" u8) (field "a1-B2-c3" u8)))
  (type (enum "QOS0" "QOS1" "QOS2")))

;; 32 flags are the most
(component
  (type (flags "a1" "a2" "a3" "a4" "a5" "a6" "a7" "a8" "b1" "b2" "b3" "b4" "b5" "b6" "b7" "b8"
    "c1" "c2" "c3" "c4" "c5" "c6" "c7" "c8" "d1" "d2" "d3" "d4" "d5" "d6" "d7" "d8")))

;; 33 flags are too many
(assert_invalid
  (component
    (type (flags "a1" "a2" "a3" "a4" "a5" "a6" "a7" "a8" "b1" "b2" "b3" "b4" "b5" "b6" "b7" "b8"
      "c1" "c2" "c3" "c4" "c5" "c6" "c7" "c8" "d1" "d2" "d3" "d4" "d5" "d6" "d7" "d8" "e1")))
  "flags must have 1 to 32 labels")

;; a record without fields
(assert_invalid (component (type (record))) "at least one")
;; a variant without cases
(assert_invalid (component (type (variant))) "at least one")
;; an enum without cases
(assert_invalid (component (type (enum))) "at least one")
;; flags without labels
(assert_invalid (component (type (flags))) "flags must have 1 to 32 labels")
;; a tuple without elements
(assert_invalid (component (type (tuple))) "at least one")

;; an empty field name
(assert_invalid (component (type (record (field "" u8)))) "kebab case")
;; an empty case name
(assert_invalid (component (type (variant (case "" u8)))) "kebab case")
;; an empty flag
(assert_invalid (component (type (flags "retain" ""))) "kebab case")
;; an empty enum label
(assert_invalid (component (type (enum ""))) "kebab case")

;; a field in camel case
(assert_invalid (component (type (record (field "topicName" string)))) "kebab case")
;; a case with an underscore
(assert_invalid (component (type (variant (case "not_allowed")))) "kebab case")
;; a flag that begins with a digit
(assert_invalid (component (type (flags "1st"))) "kebab case")
;; an enum label that ends in a hyphen
(assert_invalid (component (type (enum "qos-"))) "kebab case")
;; an enum label with two hyphens
(assert_invalid (component (type (enum "qos--one"))) "kebab case")
;; a label with a dot
(assert_invalid (component (type (record (field "a.b" u8)))) "kebab case")

;; two fields of one name
(assert_invalid (component (type (record (field "qos" u8) (field "qos" u8)))) "conflicts")
;; two fields that differ in case alone
(assert_invalid (component (type (record (field "qos" u8) (field "QOS" u8)))) "conflicts")
;; two cases of one name
(assert_invalid (component (type (variant (case "deny" u8) (case "deny")))) "conflicts")
;; two cases that differ in case alone
(assert_invalid (component (type (variant (case "deny") (case "DENY")))) "conflicts")
;; two flags of one name
(assert_invalid (component (type (flags "a" "b" "A"))) "conflicts")
;; two enum labels of one name
(assert_invalid (component (type (enum "x-Y" "z" "X-y"))) "conflicts")

;; a list of a type that is not there
(assert_invalid (component (type (list 0))) "index out of bounds")
;; an option of itself
(assert_invalid (component (type u8) (type (option 1))) "index out of bounds")
;; a tuple of a type that comes later
(assert_invalid (component (type (tuple u8 1)) (type u8)) "index out of bounds")
;; a field of a type that is not there
(assert_invalid (component (type (record (field "a" 7)))) "index out of bounds")
;; a case of a type that is not there
(assert_invalid (component (type (variant (case "a" 7)))) "index out of bounds")
;; an error of a type that is not there
(assert_invalid (component (type $ok u8) (type (result $ok (error 9)))) "index out of bounds")

;; a list of functions
(assert_invalid (component (type $f (func)) (type (list $f))) "not a value type")
;; an option of an instance type
(assert_invalid (component (type $i (instance)) (type (option $i))) "not a value type")
;; a field of a component type
(assert_invalid (component (type $c (component)) (type (record (field "c" $c)))) "not a value type")
;; a resource is no value without own or borrow
(assert_invalid
  (component (type $r (resource (rep i32))) (type (list $r)))
  "not a value type")

;; a type of sixteen million parts
(assert_invalid
  (component
    (type $t0 (tuple u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64))
    (type $t1 (tuple $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0 $t0))
    (type $t2 (tuple $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1 $t1))
    (type $t3 (tuple $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2 $t2))
    (type $t4 (tuple $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3 $t3))
    (type $t5 (tuple $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4 $t4))
    (type $t6 (tuple $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5 $t5)))
  "a type of more than 100000 parts")

;; own of a type that is not there
(assert_invalid (component (type (own 3))) "index out of bounds")
;; own of a record
(assert_invalid (component (type $t (record (field "a" u8))) (type (own $t))) "not a resource type")
;; borrow of a primitive
(assert_invalid (component (type $t u8) (type (borrow $t))) "not a resource type")
;; borrow of a function type
(assert_invalid (component (type $t (func)) (type (borrow $t))) "not a resource type")
