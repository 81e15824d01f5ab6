;; Whole components as toolchains make them: shims, adapters, nested components that are wired up.

;; nothing at all
(component)
;; nothing, nested
(component (component (component (component))))
;; a component that hands its import on
(component
  (component $inner
    (import "f" (func $f (param "a" u32) (result u32)))
    (export "g" (func $f)))
  (component
    (import "f" (func $f (param "a" u32) (result u32)))
    (export "h" (func $f))))

;; a table that is filled after the fact, because memory and imports need each other
(component
  (component
    (import "log" (func $log (param "text" string)))
    (core module $main
      (import "host" "log" (func $log (param i32 i32)))
      (memory (export "memory") 1)
      (func (export "run") (call $log (i32.const 0) (i32.const 0))))
    (core module $shim
      (type $t (func (param i32 i32)))
      (table (export "$imports") 1 1 funcref)
      (func (export "0") (type $t)
        (call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 0))))
    (core module $fixup
      (import "shim" "$imports" (table 1 1 funcref))
      (import "shim" "0" (func $f (param i32 i32)))
      (elem (i32.const 0) $f))
    (core instance $shim (instantiate $shim))
    (core instance $main (instantiate $main
      (with "host" (instance (export "log" (func $shim "0"))))))
    (core func $real (canon lower (func $log) (memory (core memory $main "memory"))))
    (core instance (instantiate $fixup
      (with "shim" (instance
        (export "$imports" (table $shim "$imports"))
        (export "0" (func $real))))))
    (func (export "run") (canon lift (core func $main "run")))))

;; one component calls another
(component
  (component $kv
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (func (export "get") (param i32 i32) (result i32) (i32.const 16)))
    (core instance $i (instantiate $m))
    (func $get (param "key" string) (result (option string))
      (canon lift (core func $i "get") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (instance $api (export "get" (func $get)))
    (export "hpmq:broker/kv@0.1.0" (instance $api)))
  (component $policy
    (import "hpmq:broker/kv@0.1.0" (instance $kv
      (export "get" (func (param "key" string) (result (option string))))))
    (core module $libc
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $libc (instantiate $libc))
    (core func $get (canon lower (func $kv "get")
      (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core module $m
      (import "kv" "get" (func $get (param i32 i32 i32)))
      (func (export "decide") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m (with "kv" (instance (export "get" (func $get))))))
    (func (export "decide") (result bool) (canon lift (core func $i "decide"))))
  (instance $kv (instantiate $kv))
  (instance $policy (instantiate $policy
    (with "hpmq:broker/kv@0.1.0" (instance $kv "hpmq:broker/kv@0.1.0"))))
  (export "decide" (func $policy "decide")))

;; an interface of types that a component imports and exports
(component
  (component
    (type $types (instance
      (type $qos' (enum "zero" "one" "two"))
      (export "qos" (type $qos (eq $qos')))
      (type $message' (record (field "topic" string) (field "qos" $qos)))
      (export "message" (type (eq $message')))))
    (import "hpmq:broker/types@0.1.0" (instance $types (type $types)))
    (alias export $types "message" (type $message))
    (import "message" (type $m (eq $message)))
    (core module $c
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (func (export "on-publish") (param i32 i32 i32) (result i32) (i32.const 0)))
    (core instance $i (instantiate $c))
    (func $f (param "m" $m) (result (result (error string)))
      (canon lift (core func $i "on-publish") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (export "on-publish" (func $f))))

;; the same component twice, wired in a row
(component
  (component $step
    (import "next" (func $next (param "x" u32) (result u32)))
    (core func $n (canon lower (func $next)))
    (core module $m
      (import "" "next" (func $next (param i32) (result i32)))
      (func (export "run") (param i32) (result i32)
        (call $next (i32.add (local.get 0) (i32.const 1)))))
    (core instance $i (instantiate $m (with "" (instance (export "next" (func $n))))))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $i "run"))))
  (component $end
    (core module $m (func (export "run") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "x" u32) (result u32) (canon lift (core func $i "run"))))
  (instance $end (instantiate $end))
  (instance $two (instantiate $step (with "next" (func $end "run"))))
  (instance $one (instantiate $step (with "next" (func $two "run"))))
  (export "run" (func $one "run")))

;; a component that is given to a component
(component
  (component $plugin
    (import "x" (func $x (result u8)))
    (export "y" (func $x)))
  (component $host
    (import "plugin" (component $p (import "x" (func (result u8))) (export "y" (func (result u8)))))
    (core module $m (func (export "one") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func $one (result u8) (canon lift (core func $i "one")))
    (instance $p (instantiate $p (with "x" (func $one))))
    (export "y" (func $p "y")))
  (instance $h (instantiate $host (with "plugin" (component $plugin))))
  (export "y" (func $h "y")))

;; the types of an inner instance are not mixed up with those of another
(assert_invalid
  (component
    (component $a (type $t (record (field "x" u8))) (export "t" (type $t)))
    (component $b (type $t (record (field "x" u16))) (export "t" (type $t)))
    (instance $a (instantiate $a))
    (instance $b (instantiate $b))
    (component $user
      (type $t (record (field "x" u8)))
      (import "t" (type (eq $t))))
    (instance (instantiate $user (with "t" (type $b "t")))))
  "u16")
;; an inner component sees no functions of the outer one
(assert_invalid
  (component
    (import "f" (func $f))
    (component (export "g" (func 0))))
  "index out of bounds")
;; an inner component sees no instances of the outer one
(assert_invalid
  (component
    (import "i" (instance $i (export "f" (func))))
    (component (alias export 0 "f" (func))))
  "index out of bounds")
;; an error far inside is an error
(assert_invalid
  (component (component (component (component (component (type (list 0)))))))
  "index out of bounds")
;; a method on a resource of the component around
(component
  (component $c
    (type $r' (resource (rep i32)))
    (export $r "bucket" (type $r'))
    (core module $m
      (func (export "size") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (core func $new (canon resource.new $r'))
    (func $size (param "self" (borrow $r)) (result u32) (canon lift (core func $i "size")))
    (func $make (param "size" u32) (result (own $r)) (canon lift (core func $new)))
    (export "[method]bucket.size" (func $size))
    (export "[constructor]bucket" (func $make)))
  (instance $c (instantiate $c))
  (export "hpmq:test/buckets@1.0.0" (instance $c)))
