;; Names of imports and exports: kebab case, interface names with versions, methods, and when two
;; names are too much alike.

;; plain names
(component
  (component
    (import "a" (func))
    (import "on-publish" (func))
    (import "QOS" (func))
    (import "v1" (func))
    (import "a-B2-c3-D" (func))
    (import "mqtt-5-0" (func))))

;; interface names with and without versions
(component
  (component
    (import "hpmq:broker/kv" (instance))
    (import "hpmq:broker/kv@0.1.0" (instance))
    (import "hpmq:broker/kv@0.2.0" (instance))
    (import "hpmq:broker/kv@1.0.0-rc.1" (instance))
    (import "hpmq:broker/kv@1.0.0-rc.1+build.5" (instance))
    (import "hpmq:broker/kv@1.0.0+build" (instance))
    (import "wasi-x:a-b1/c-D2@10.20.30" (instance))))

;; no name
(assert_invalid (component (import "" (func))) "kebab case")
;; a name that begins with a digit
(assert_invalid (component (import "5g" (func))) "kebab case")
;; a name with mixed case in a word
(assert_invalid (component (import "onPublish" (func))) "kebab case")
;; a name with a space
(assert_invalid (component (import "on publish" (func))) "kebab case")
;; a name with a trailing hyphen
(assert_invalid (component (import "publish-" (func))) "kebab case")
;; a name with two hyphens
(assert_invalid (component (import "on--publish" (func))) "kebab case")
;; a name that is not ASCII
(assert_invalid (component (import "größe" (func))) "kebab case")
;; an export name in camel case
(assert_invalid (component (import "f" (func $f)) (export "onPublish" (func $f))) "kebab case")
;; a name in an inline instance
(assert_invalid
  (component (import "f" (func $f)) (instance (export "Not-Kebab" (func $f))))
  "kebab case")
;; a name in a component type
(assert_invalid (component (type (component (import "xY" (func))))) "kebab case")
;; a name in an instance type
(assert_invalid (component (type (instance (export "xY" (func))))) "kebab case")

;; an interface name without a namespace
(assert_invalid (component (import "broker/kv" (instance))) "nor an interface")
;; an interface name without a package
(assert_invalid (component (import "hpmq:/kv" (instance))) "nor an interface")
;; an interface name without an interface
(assert_invalid (component (import "hpmq:broker/" (instance))) "nor an interface")
;; a package name alone
(assert_invalid (component (import "hpmq:broker" (instance))) "nor an interface")
;; a namespace in capitals
(assert_invalid (component (import "HPMQ:broker/kv" (instance))) "nor an interface")
;; a package in capitals
(assert_invalid (component (import "hpmq:Broker/kv" (instance))) "nor an interface")
;; an interface with mixed case
(assert_invalid (component (import "hpmq:broker/keyValue" (instance))) "nor an interface")
;; nested namespaces
(assert_invalid (component (import "hpmq:a:b/kv" (instance))) "nor an interface")
;; nested interfaces
(assert_invalid (component (import "hpmq:broker/kv/get" (instance))) "nor an interface")
;; an empty version
(assert_invalid (component (import "hpmq:broker/kv@" (instance))) "nor an interface")
;; a version of one number
(assert_invalid (component (import "hpmq:broker/kv@1" (instance))) "nor an interface")
;; a version of two numbers
(assert_invalid (component (import "hpmq:broker/kv@1.2" (instance))) "nor an interface")
;; a version of four numbers
(assert_invalid (component (import "hpmq:broker/kv@1.2.3.4" (instance))) "nor an interface")
;; a version with a leading zero
(assert_invalid (component (import "hpmq:broker/kv@1.02.3" (instance))) "nor an interface")
;; a version with letters
(assert_invalid (component (import "hpmq:broker/kv@one.2.3" (instance))) "nor an interface")
;; a version with an empty pre-release
(assert_invalid (component (import "hpmq:broker/kv@1.2.3-" (instance))) "nor an interface")
;; a version with an empty build
(assert_invalid (component (import "hpmq:broker/kv@1.2.3+" (instance))) "nor an interface")
;; a version with an empty identifier in the pre-release
(assert_invalid (component (import "hpmq:broker/kv@1.2.3-a..b" (instance))) "nor an interface")

;; an import twice
(assert_invalid (component (import "kv" (func)) (import "kv" (instance))) "conflicts")
;; an import twice but for case
(assert_invalid (component (import "kv-a" (func)) (import "KV-a" (func))) "conflicts")
;; an interface twice
(assert_invalid
  (component (import "hpmq:broker/kv@0.1.0" (instance)) (import "hpmq:broker/kv@0.1.0" (instance)))
  "conflicts")
;; an export twice
(assert_invalid
  (component (import "f" (func $f)) (export "a" (func $f)) (export "a" (func $f)))
  "conflicts")
;; an export twice but for case
(assert_invalid
  (component (import "f" (func $f)) (export "ab" (func $f)) (export "AB" (func $f)))
  "conflicts")
;; an import and an export may be alike
(component (component (import "f" (func $f)) (export "f" (func $f))))
;; names that differ in hyphens alone
(assert_invalid (component (import "on-publish" (func)) (import "onpublish" (func))) "conflicts")

;; functions of a resource
(component
  (component
    (import "session" (type $s (sub resource)))
    (import "[constructor]session" (func (param "id" string) (result (own $s))))
    (import "[method]session.close" (func (param "self" (borrow $s)) (param "why" u8)))
    (import "[static]session.count" (func (result u32)))))
;; a constructor that can fail
(component
  (component
    (import "session" (type $s (sub resource)))
    (import "[constructor]session" (func (result (result (own $s) (error string)))))))
;; methods of two resources may have one name
(component
  (component
    (import "a" (type $a (sub resource)))
    (import "b" (type $b (sub resource)))
    (import "[method]a.close" (func (param "self" (borrow $a))))
    (import "[method]b.close" (func (param "self" (borrow $b))))))

;; a constructor of no resource
(assert_invalid (component (import "[constructor]session" (func (result u32)))) "a constructor returns own<T> or result<own<T>, E>")
;; a constructor that gives nothing
(assert_invalid
  (component (import "session" (type (sub resource))) (import "[constructor]session" (func)))
  "a constructor returns own<T> or result<own<T>, E>")
;; a constructor that gives a borrow of another type
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "other" (type $o (sub resource)))
    (import "[constructor]session" (func (result (own $o)))))
  "its resource is \"other\", not \"session\"")
;; a constructor that gives a list of its resource
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "[constructor]session" (func (result (list (own $s))))))
  "a constructor returns own<T> or result<own<T>, E>")
;; a method without self
(assert_invalid
  (component (import "session" (type (sub resource))) (import "[method]session.close" (func)))
  "a method's first parameter is self")
;; a method whose first parameter has another name
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "[method]session.close" (func (param "this" (borrow $s)))))
  "a method's first parameter is self")
;; a method whose self is owned
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "[method]session.close" (func (param "self" (own $s)))))
  "a method's first parameter is self")
;; a method whose self is another resource
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "other" (type $o (sub resource)))
    (import "[method]session.close" (func (param "self" (borrow $o)))))
  "its resource is \"other\", not \"session\"")
;; a method without a dot
(assert_invalid (component (import "[method]close" (func))) "is none of [constructor]type")
;; a method with two dots
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "[method]session.a.b" (func (param "self" (borrow $s)))))
  "is none of [constructor]type")
;; a method that is an instance
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "[method]session.close" (instance)))
  "instance: only functions have such names")
;; a static function of no resource
(assert_invalid (component (import "[static]session.count" (func))) "no resource \"session\" is known here")
;; a static function that is an instance
(assert_invalid
  (component (import "session" (type (sub resource))) (import "[static]session.count" (instance)))
  "instance: only functions have such names")
;; an annotation that is not known
(assert_invalid (component (import "[getter]session.count" (func))) "is none of [constructor]type")
;; a method exported of a resource that is only imported
(assert_invalid
  (component
    (import "session" (type $s (sub resource)))
    (import "f" (func $f (param "self" (borrow $s))))
    (export "[method]session.close" (func $f)))
  "its resource has no name here")
;; a method exported with the resource
(component
  (component
    (import "session" (type $s (sub resource)))
    (import "f" (func $f (param "self" (borrow $s))))
    (export $e "mine" (type $s))
    (export "[method]mine.close" (func $f) (func (param "self" (borrow $e))))))
;; a method twice
(assert_invalid
  (component
    (import "s" (type $s (sub resource)))
    (import "[method]s.close" (func (param "self" (borrow $s))))
    (import "[static]s.close" (func)))
  "conflicts")
;; a method of the name of its resource
(assert_invalid
  (component
    (import "s" (type $s (sub resource)))
    (import "[method]s.s" (func (param "self" (borrow $s)))))
  "conflicts")
;; methods in an instance type
(component
  (type (instance
    (export "bucket" (type $b (sub resource)))
    (export "[constructor]bucket" (func (result (own $b))))
    (export "[method]bucket.get" (func (param "self" (borrow $b)) (result string)))
    (export "[static]bucket.all" (func (result (list (own $b))))))))
;; a wrong method in an instance type
(assert_invalid
  (component
    (type (instance
      (export "bucket" (type $b (sub resource)))
      (export "[method]bucket.get" (func (param "self" u32))))))
  "a method's first parameter is self")

;; names by address, as there were once
(assert_invalid (component (import "url=<https://example.org/kv.wasm>" (component))) "nor an interface")
;; names by digest, as there were once
(assert_invalid (component (import "integrity=<sha256-YWJj>" (component))) "nor an interface")
;; names of dependencies, as there were once
(assert_invalid (component (import "unlocked-dep=<hpmq:kv@{>=1.0.0 <2.0.0}>" (component))) "nor an interface")
;; names of locked dependencies, as there were once
(assert_invalid (component (import "locked-dep=<hpmq:kv@1.2.3>" (component))) "nor an interface")
