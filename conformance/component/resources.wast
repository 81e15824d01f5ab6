;; Resources: who may define, make and drop them, and when two are the same.

;; a resource with all its built-ins
(component
  (core module $d (func (export "dtor") (param i32)))
  (core instance $d (instantiate $d))
  (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
  (core func $new (canon resource.new $r))
  (core func $rep (canon resource.rep $r))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "r" "new" (func (param i32) (result i32)))
    (import "r" "rep" (func (param i32) (result i32)))
    (import "r" "drop" (func (param i32))))
  (core instance (instantiate $m (with "r" (instance
    (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop)))))))

;; an imported resource may be dropped
(component
  (component
    (import "stream" (type $s (sub resource)))
    (core func (canon resource.drop $s))))
;; but not made
(assert_invalid
  (component (import "stream" (type $s (sub resource))) (core func (canon resource.new $s)))
  "not a resource that this component defines")
;; nor looked into
(assert_invalid
  (component (import "stream" (type $s (sub resource))) (core func (canon resource.rep $s)))
  "not a resource that this component defines")
;; nor may that of an instance
(assert_invalid
  (component
    (import "i" (instance $i (export "r" (type (sub resource)))))
    (alias export $i "r" (type $r))
    (core func (canon resource.new $r)))
  "not a resource that this component defines")
;; nor that of a nested component
(assert_invalid
  (component
    (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
    (instance $i (instantiate $c))
    (alias export $i "r" (type $r))
    (core func (canon resource.rep $r)))
  "not a resource that this component defines")
;; what comes back through a nested component is still its own
(component
  (type $r (resource (rep i32)))
  (component $c (import "in" (type $t (sub resource))) (export "out" (type $t)))
  (instance $i (instantiate $c (with "in" (type $r))))
  (alias export $i "out" (type $back))
  (core func (canon resource.rep $back))
  (core func (canon resource.new $back)))
;; so is an export of it
(component
  (type $r (resource (rep i32)))
  (export $e "e" (type $r))
  (core func (canon resource.new $e))
  (core func (canon resource.drop $e)))

;; built-ins of a type that is not there
(assert_invalid (component (core func (canon resource.drop 2))) "index out of bounds")
;; resource.drop of a handle
(assert_invalid
  (component (type $r (resource (rep i32))) (type $o (own $r)) (core func (canon resource.drop $o)))
  "not a resource")
;; resource.new of a record
(assert_invalid
  (component (type $t (record (field "a" u8))) (core func (canon resource.new $t)))
  "not a resource")
;; resource.rep of a function type
(assert_invalid (component (type $t (func)) (core func (canon resource.rep $t))) "not a resource")
;; a built-in used with another core type
(assert_invalid
  (component
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (core module $m (import "r" "new" (func (param i32))))
    (core instance (instantiate $m (with "r" (instance (export "new" (func $new)))))))
  "\"new\"")

;; a destructor that takes nothing
(assert_invalid
  (component
    (core module $m (func (export "d")))
    (core instance $i (instantiate $m))
    (type (resource (rep i32) (dtor (core func $i "d")))))
  "destructor")
;; a destructor that gives something
(assert_invalid
  (component
    (core module $m (func (export "d") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (type (resource (rep i32) (dtor (core func $i "d")))))
  "destructor")
;; a destructor that is not there
(assert_invalid (component (type (resource (rep i32) (dtor (core func 0))))) "index out of bounds")

;; two resources of one component are two
(assert_invalid
  (component
    (type $a (resource (rep i32)))
    (type $b (resource (rep i32)))
    (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
    (instance (instantiate $same (with "x" (type $a)) (with "y" (type $b)))))
  "not the same")
;; one resource under two names is one
(component
  (type $a (resource (rep i32)))
  (export $b "b" (type $a))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $a)) (with "y" (type $b)))))
;; two imports are two
(assert_invalid
  (component
    (import "a" (type $a (sub resource)))
    (import "b" (type $b (sub resource)))
    (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
    (instance (instantiate $same (with "x" (type $a)) (with "y" (type $b)))))
  "not the same")
;; an import that is equal to another is the same
(component
  (component
    (import "a" (type $a (sub resource)))
    (import "b" (type $b (eq $a)))
    (import "c" (type $c (eq $b)))
    (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
    (instance (instantiate $same (with "x" (type $a)) (with "y" (type $c))))))
;; one resource may be given for two
(component
  (type $r (resource (rep i32)))
  (component $c (import "x" (type (sub resource))) (import "y" (type (sub resource))))
  (instance (instantiate $c (with "x" (type $r)) (with "y" (type $r)))))
;; two instances of one component have two resources
(assert_invalid
  (component
    (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
    (instance $one (instantiate $c))
    (instance $two (instantiate $c))
    (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
    (instance (instantiate $same (with "x" (type $one "r")) (with "y" (type $two "r")))))
  "not the same")
;; two imported instances of one type have two resources
(assert_invalid
  (component
    (type $t (instance (export "r" (type (sub resource)))))
    (import "one" (instance $one (type $t)))
    (import "two" (instance $two (type $t)))
    (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
    (instance (instantiate $same (with "x" (type $one "r")) (with "y" (type $two "r")))))
  "not the same")
;; two instances of a component that hands on its import have one
(component
  (type $r (resource (rep i32)))
  (component $c (import "r" (type $r (sub resource))) (export "s" (type $r)))
  (instance $one (instantiate $c (with "r" (type $r))))
  (instance $two (instantiate $c (with "r" (type $r))))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))
  (instance (instantiate $same (with "x" (type $one "s")) (with "y" (type $two "s")))))

;; functions with handles of the same resource
(component
  (component
    (import "r" (type $r (sub resource)))
    (import "f" (func $f (param "a" (own $r)) (param "b" (list (borrow $r))) (result (own $r))))
    (component $c
      (import "t" (type $t (sub resource)))
      (import "g" (func (param "a" (own $t)) (param "b" (list (borrow $t))) (result (own $t)))))
    (instance (instantiate $c (with "t" (type $r)) (with "g" (func $f))))))
;; functions with handles of another resource
(assert_invalid
  (component
    (import "r" (type $r (sub resource)))
    (import "s" (type $s (sub resource)))
    (import "f" (func $f (result (own $s))))
    (component $c (import "t" (type $t (sub resource))) (import "g" (func (result (own $t)))))
    (instance (instantiate $c (with "t" (type $r)) (with "g" (func $f)))))
  "not the same")
;; an own where a borrow is needed
(assert_invalid
  (component
    (import "r" (type $r (sub resource)))
    (import "f" (func $f (param "a" (own $r))))
    (component $c
      (import "t" (type $t (sub resource))) (import "g" (func (param "a" (borrow $t)))))
    (instance (instantiate $c (with "t" (type $r)) (with "g" (func $f)))))
  "borrow")
;; a handle where a number is needed
(assert_invalid
  (component
    (import "r" (type $r (sub resource)))
    (import "f" (func $f (param "a" (own $r))))
    (component $c (import "g" (func (param "a" u32))))
    (instance (instantiate $c (with "g" (func $f)))))
  "own where u32 is expected")
;; a record of handles of another resource
(assert_invalid
  (component
    (type $r (resource (rep i32)))
    (type $s (resource (rep i32)))
    (type $rec (record (field "h" (option (own $s)))))
    (component $c
      (import "t" (type $t (sub resource)))
      (type $expect (record (field "h" (option (own $t)))))
      (import "rec" (type (eq $expect))))
    (instance (instantiate $c (with "t" (type $r)) (with "rec" (type $rec)))))
  "not the same")
;; a type where a resource is needed
(assert_invalid
  (component
    (component $c (import "r" (type (sub resource))))
    (type $t (record (field "a" u8)))
    (instance (instantiate $c (with "r" (type $t)))))
  "resource")
;; a resource where a type is needed
(assert_invalid
  (component
    (component $c (type $t u8) (import "t" (type (eq $t))))
    (type $r (resource (rep i32)))
    (instance (instantiate $c (with "t" (type $r)))))
  "resource where u8 type is expected")
;; a resource that is not given
(assert_invalid
  (component (component $c (import "r" (type (sub resource)))) (instance (instantiate $c)))
  "\"r\"")

;; an instance that carries a resource with its functions
(component
  (component $maker
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $new))))
  (component $user
    (import "maker" (instance $m
      (export "r" (type $r (sub resource)))
      (export "make" (func (param "rep" u32) (result (own $r))))))
    (alias export $m "r" (type $r))
    (core func (canon resource.drop $r))
    (core func (canon lower (func $m "make"))))
  (instance $m (instantiate $maker))
  (instance (instantiate $user (with "maker" (instance $m)))))
;; an instance put together of the parts of two
(assert_invalid
  (component
    (component $maker
      (type $r' (resource (rep i32)))
      (export $r "r" (type $r'))
      (core func $new (canon resource.new $r'))
      (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $new))))
    (component $user
      (import "maker" (instance
        (export "r" (type $r (sub resource)))
        (export "make" (func (param "rep" u32) (result (own $r)))))))
    (instance $one (instantiate $maker))
    (instance $two (instantiate $maker))
    (instance (instantiate $user (with "maker" (instance
      (export "r" (type $one "r"))
      (export "make" (func $two "make")))))))
  "not the same")

;; a function with a resource that has no name outside
(assert_invalid
  (component
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (func $make (param "rep" u32) (result (own $r)) (canon lift (core func $new)))
    (export "make" (func $make)))
  "no name")
;; ascribed to the name it has outside
(component
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r))
  (func $make (param "rep" u32) (result (own $r)) (canon lift (core func $new)))
  (export $out "r" (type $r))
  (export "make" (func $make) (func (param "rep" u32) (result (own $out)))))
;; a local resource in an import
(assert_invalid
  (component (type $r (resource (rep i32))) (import "f" (func (param "r" (borrow $r)))))
  "no name")
;; an exported resource in an import
(assert_invalid
  (component
    (type $r (resource (rep i32)))
    (export $e "r" (type $r))
    (import "f" (func (param "r" (borrow $e)))))
  "no name")
;; an import cannot be a resource of the component itself
(assert_invalid
  (component (type $r (resource (rep i32))) (import "r" (type (eq $r))))
  "makes itself")
;; nor one that an instance in it makes
(assert_invalid
  (component
    (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
    (instance $i (instantiate $c))
    (alias export $i "r" (type $r))
    (import "r" (type (eq $r))))
  "makes itself")
;; nor may an imported instance have it
(assert_invalid
  (component $C
    (type $r (resource (rep i32)))
    (import "i" (instance (alias outer $C $r (type $s)) (export "r" (type (eq $s))))))
  "makes itself")
;; nor an imported component
(assert_invalid
  (component $C
    (type $r (resource (rep i32)))
    (import "c" (component (alias outer $C $r (type $s)) (export "r" (type (eq $s))))))
  "makes itself")
;; an imported one may be imported again, and what an imported component makes of it
(component
  (component $C
    (import "r" (type $r (sub resource)))
    (import "s" (type $s (eq $r)))
    (import "i" (instance (alias outer $C $s (type $t)) (export "t" (type (eq $t)))))
    (import "c" (component (alias outer $C $r (type $t)) (export "t" (type (eq $t)))))))
;; a type within a component may import its resources
(component $C
  (type $r (resource (rep i32)))
  (type (component (alias outer $C $r (type $s)) (import "t" (type (eq $s))))))
;; an import may be what another imported instance has
(component
  (component
    (import "i" (instance $i (export "r" (type (sub resource)))))
    (alias export $i "r" (type $r))
    (import "s" (type $s (eq $r)))
    (import "f" (func (param "a" (own $s))))))
