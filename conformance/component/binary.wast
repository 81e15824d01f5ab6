;; The binary format, byte by byte: preamble, sections, numbers, and the first bytes of everything.

;; a preamble alone
(component binary
    "\00\61\73\6d\0d\00\01\00")

;; a custom section
(component binary
    "\00\61\73\6d\0d\00\01\00\00\06\02\68\69\01\02\03")

;; two custom sections of one name
(component binary
    "\00\61\73\6d\0d\00\01\00\00\03\02\68\69\00\04\02\68\69\ff")

;; a custom section of garbage under a known name
(component binary
    "\00\61\73\6d\0d\00\01\00\00\12\0e\63\6f\6d\70\6f\6e\65\6e\74\2d\6e\61\6d"
    "\65\ff\fe\fd")

;; sections without definitions
(component binary
    "\00\61\73\6d\0d\00\01\00\02\01\00\03\01\00\05\01\00\06\01\00\07\01\00\08"
    "\01\00\0a\01\00\0b\01\00")

;; sections in any order, and again
(component binary
    "\00\61\73\6d\0d\00\01\00\07\02\01\73\00\02\01\78\03\04\01\60\00\00\07\03"
    "\01\70\00\0b\01\00\07\02\01\7f")

;; a number in more bytes than it needs
(component binary
    "\00\61\73\6d\0d\00\01\00\07\82\80\80\80\00\01\73")

;; a core module
(component binary
    "\00\61\73\6d\0d\00\01\00\01\08\00\61\73\6d\01\00\00\00")

;; a nested component
(component binary
    "\00\61\73\6d\0d\00\01\00\04\08\00\61\73\6d\0d\00\01\00")

;; every primitive type
(component binary
    "\00\61\73\6d\0d\00\01\00\07\0e\0d\7f\7e\7d\7c\7b\7a\79\78\77\76\75\74\73")

;; every compound type
(component binary
    "\00\61\73\6d\0d\00\01\00\07\38\0e\72\01\01\61\7f\71\02\01\62\01\73\00\01"
    "\63\00\00\70\00\6f\02\00\01\6e\01\01\64\6d\01\01\65\6b\01\6a\00\00\6a\01"
    "\7d\00\6a\00\01\7d\6a\01\7d\01\73\3f\7f\00\69\0b\68\0b")

;; functions with and without a result
(component binary
    "\00\61\73\6d\0d\00\01\00\07\0c\02\40\01\01\61\73\00\79\40\00\01\00")

;; an instance type and a component type
(component binary
    "\00\61\73\6d\0d\00\01\00\07\1a\02\42\03\01\73\04\00\01\74\03\00\00\04\00"
    "\01\72\03\01\41\01\03\00\01\73\03\01")

;; an outer alias of the component itself
(component binary
    "\00\61\73\6d\0d\00\01\00\07\02\01\73\06\05\01\03\02\00\00\07\03\01\70\01")

;; nothing at all
(assert_malformed
  (component binary
    "")
  "end")

;; half a preamble
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00")
  "end")

;; another magic
(assert_malformed
  (component binary
    "\00\61\73\6e\0d\00\01\00")
  "a component does not begin with \\0asm")

;; the version of a component with the layer of a module
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\00\00")
  "a component of version 0d 00 00 00, only 0d 00 01 00 is known")

;; an older version
(assert_malformed
  (component binary
    "\00\61\73\6d\0c\00\01\00")
  "version")

;; the version of a module with the layer of a component
(assert_malformed
  (component binary
    "\00\61\73\6d\01\00\01\00")
  "version")

;; an unknown layer
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\02\00")
  "version")

;; a section without a size
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07")
  "end")

;; a section longer than the file
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\05\01\73")
  "end")

;; a section shorter than what is in it
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\01\01\73")
  "unexpected end")

;; a section longer than what is in it
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\03\01\73\73")
  "too many")

;; a section that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\0d\01\00")
  "not known")

;; a section of number 255
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\ff\01\00")
  "not known")

;; a number of six bytes
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\81\80\80\80\80\00\00")
  "integer does not fit 32 bits")

;; a number above 32 bits
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\81\80\80\80\70\00")
  "integer does not fit 32 bits")

;; a custom section without a name
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\00\00")
  "end")

;; a custom section with a name that is too long
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\00\03\05\61\62")
  "end")

;; a name that is not UTF-8
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\00\03\02\ff\fe")
  "UTF-8")

;; more types than there are
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\02\02\73")
  "end")

;; a million types in three bytes
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\03\c0\84\3d")
  "end")

;; a type that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\02\01\62")
  "no type")

;; a type above the primitive ones
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\02\01\3c")
  "no type")

;; a record that breaks off
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\06\01\72\02\01\61\7f")
  "end")

;; a case that is not closed with 0
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\07\01\71\01\01\61\00\01")
  "0x01 where 0x00 is due")

;; a case whose payload is neither there nor not
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\08\01\71\01\01\61\02\73\00")
  "0x02 is neither 0 nor 1")

;; a function whose result is of an unknown form
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\05\01\40\00\02\73")
  "result")

;; a function with a list of named results
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\08\01\40\00\01\01\01\61\73")
  "0x01 where 0x00 is due")

;; a resource of 64 bit floats
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\04\01\3f\7c\00")
  "representation")

;; a type bound that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\09\01\42\01\04\00\01\74\03\02")
  "bound")

;; an import in an instance type
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\09\01\42\01\03\00\01\74\03\01")
  "declaration")

;; a declaration that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\04\01\41\01\05")
  "declaration")

;; a core instance of unknown form
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\02\04\01\02\00\00")
  "core instance")

;; a core argument that is no instance
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\01\08\00\61\73\6d\01\00\00\00\02\08\01\00\00\01"
    "\01\61\00\00")
  "0x00 where 0x12 is due")

;; an instance of unknown form
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\05\03\01\02\00")
  "instance")

;; a sort that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\05\08\01\01\01\00\01\61\06\00")
  "sort")

;; a core sort that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\05\09\01\01\01\00\01\61\00\13\00")
  "sort")

;; an alias target that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\06\05\01\03\03\00\00")
  "alias")

;; an outer alias of a function
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\06\05\01\01\02\00\00")
  "outer alias")

;; an outer alias of an instance
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\06\05\01\05\02\00\00")
  "outer alias")

;; an outer alias of a core function
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\06\06\01\00\00\02\00\00")
  "outer alias")

;; a core export alias of a type
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\01\08\00\61\73\6d\01\00\00\00\02\04\01\00\00\00"
    "\06\07\01\00\10\01\00\01\61")
  "core instances export no core type")

;; a canonical definition that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\08\03\01\ff\00")
  "canonical definition")

;; a lift with a byte that is due missing
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\08\06\01\00\01\00\00\00")
  "0x01 where 0x00 is due")

;; a canonical option that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\05\01\40\00\01\00\0a\06\01\00\01\66\01\00\08"
    "\06\01\01\00\00\01\7f")
  "option")

;; an import of an unknown kind
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\0a\06\01\00\01\66\07\00")
  "0x07 is no kind of an import or export")

;; an import name of an unknown form
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\05\01\40\00\01\00\0a\06\01\7f\01\66\01\00")
  "name")

;; an export without saying whether it is ascribed
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\02\01\73\0b\06\01\00\01\74\03\00")
  "unexpected end")

;; an export whose ascription is neither there nor not
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\07\02\01\73\0b\07\01\00\01\74\03\00\02")
  "0x02 is neither 0 nor 1")

;; a core type that is not known
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\03\02\01\30")
  "core type")

;; a core function with a component's type
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\03\05\01\60\01\76\00")
  "0x76 is no core value type")

;; a module type with an unknown declaration
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\03\04\01\50\01\07")
  "declaration")

;; a module that is a component
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\01\08\00\61\73\6d\0d\00\01\00")
  "a core module of version 0d 00 01 00, only 01 00 00 00 is known")

;; a component that is a module
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\04\08\00\61\73\6d\01\00\00\00")
  "a component of version 01 00 00 00, only 0d 00 01 00 is known")

;; a module that breaks off
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\01\06\00\61\73\6d\01\00")
  "unexpected end")

;; a module with its sections out of order
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\01\0e\00\61\73\6d\01\00\00\00\03\01\00\01\01\00")
  "section 1 is not known, or out of order")

;; a nested component with a section too long
(assert_malformed
  (component binary
    "\00\61\73\6d\0d\00\01\00\04\0c\00\61\73\6d\0d\00\01\00\07\09\01\73")
  "unexpected end")
