;; What the standard or a proposal has, but is not served: the message names the construct.

;; a stream
(assert_unserved (component (type (stream u8))) "stream type")
;; a stream of nothing
(assert_unserved (component (type (stream))) "stream type")
;; a future
(assert_unserved (component (type (future string))) "future type")
;; a stream deep in a function
(assert_unserved
  (component (type $s (stream (list u8))) (import "f" (func (param "s" $s))))
  "stream type")
;; a function that is async
(assert_unserved (component (type (func async (param "a" u8)))) "async function type")
;; a lift that is async
(assert_unserved
  (component
    (core module $m (func (export "f") (result i32) (i32.const 0))
      (func (export "cb") (param i32 i32 i32) (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func async (canon lift (core func $i "f") async (callback (core func $i "cb")))))
  "async")
;; a lower that is async
(assert_unserved
  (component (import "f" (func $f async)) (core func (canon lower (func $f) async)))
  "async")
;; task.return
(assert_unserved (component (core func (canon task.return (result u32)))) "task.return")
;; task.cancel
(assert_unserved (component (core func (canon task.cancel))) "task.cancel")
;; backpressure
(assert_unserved (component (core func (canon backpressure.inc))) "backpressure")
;; context.get
(assert_unserved (component (core func (canon context.get i32 0))) "context.get")
;; context.set
(assert_unserved (component (core func (canon context.set i32 0))) "context.set")
;; subtask.drop
(assert_unserved (component (core func (canon subtask.drop))) "subtask.drop")
;; subtask.cancel
(assert_unserved (component (core func (canon subtask.cancel))) "subtask.cancel")
;; stream.new
(assert_unserved (component (type $s (stream u8)) (core func (canon stream.new $s))) "stream")
;; future.new
(assert_unserved (component (type $s (future u8)) (core func (canon future.new $s))) "future")
;; waitable-set.new
(assert_unserved (component (core func (canon waitable-set.new))) "waitable-set.new")
;; waitable.join
(assert_unserved (component (core func (canon waitable.join))) "waitable.join")
;; waitable-set.wait
(assert_unserved
  (component
    (core module $m (memory (export "m") 1))
    (core instance $i (instantiate $m))
    (core func (canon waitable-set.wait (memory (core memory $i "m")))))
  "waitable-set.wait")
;; thread.yield
(assert_unserved (component (core func (canon thread.yield))) "thread")
;; an error context
(assert_unserved (component (type error-context)) "error-context")
;; error-context.drop
(assert_unserved (component (core func (canon error-context.drop))) "error-context")
;; threads
(assert_unserved (component (core func (canon thread.available_parallelism))) "thread")
;; a list of fixed length
(assert_unserved (component (type (list u8 16))) "list type of fixed length")
;; a map
(assert_unserved (component (type (map string u8))) "map type")
;; a value import
(assert_unserved
  (component (import "v" (value $v string)) (export "w" (value $v)))
  "value")
;; a shared memory in a module
(assert_unserved (component (core module (memory (export "m") 1 2 shared))) "shared memory")
;; a shared memory in a module type
(assert_unserved (component (core type (module (import "e" "m" (memory 1 2 shared))))) "shared memory")
;; a 64 bit memory in a module
(assert_unserved (component (core module (memory (export "m") i64 1))) "memory64")
;; a 64 bit memory in a module type
(assert_unserved (component (core type (module (import "e" "m" (memory i64 1))))) "memory64")
;; a struct type
(assert_unserved (component (core type (struct (field i32)))) "GC")
;; a reference to a type
(assert_unserved
  (component (core type $f (func)) (core type (func (param (ref $f)))))
  "GC")
;; an exception reference
(assert_unserved (component (core type (func (param exnref)))) "exnref")
;; a reference to no exception
(assert_unserved (component (core type (func (param nullexnref)))) "exnref")
