//! A small program in two parts does what it did in one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection, MemoryType,
    Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use super::*;
use crate::command::command;

/// Numbers of the program's functions.
const ADD_SEEN: u32 = 1;
const TWICE: u32 = 2;
const TWICE_AND_ONE: u32 = 3;
const BY_TABLE: u32 = 4;
const RARE: u32 = 5;

/// A program that imports `log(i32)` (function 0), counts what it has seen in a global, and has two functions in a table.
fn program() -> Vec<u8> {
    use Instruction::{Call, CallIndirect, End, GlobalGet, GlobalSet, I32Add, I32Const, LocalGet};

    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import("host", "log", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    for _ in ADD_SEEN..=RARE {
        functions.function(1);
    }
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 3,
        maximum: Some(3),
        shared: false,
    });
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    let global = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(global, &ConstExpr::i32_const(100));
    let mut exports = ExportSection::new();
    for (name, function) in
        [("addSeen", ADD_SEEN), ("twiceAndOne", TWICE_AND_ONE), ("byTable", BY_TABLE), ("rare", RARE)]
    {
        exports.export(name, ExportKind::Func, function);
    }
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(1), Elements::Functions(vec![TWICE, RARE].into()));

    let mut code = CodeSection::new();
    let mut body = |instructions: &[Instruction<'_>]| {
        let mut function = Function::new([]);
        instructions.iter().chain([&End]).for_each(|instruction| {
            function.instruction(instruction);
        });
        code.function(&function);
    };
    body(&[GlobalGet(0), LocalGet(0), I32Add, GlobalSet(0), LocalGet(0), Call(0), GlobalGet(0)]);
    body(&[LocalGet(0), LocalGet(0), I32Add]);
    body(&[LocalGet(0), Call(TWICE), I32Const(1), I32Add]);
    body(&[LocalGet(0), I32Const(1), CallIndirect { type_index: 1, table_index: 0 }]);
    // Calls what stays in the first part, an import, and a function of its own part.
    body(&[LocalGet(0), Call(ADD_SEEN), Call(TWICE)]);

    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories);
    module.section(&globals).section(&exports).section(&elements).section(&code);
    module.finish()
}

/// Runs JavaScript with the files of a folder, and returns what it prints.
fn node(files: &[(&str, &[u8])], script: &str) -> Result<String> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let name = format!("sensorllm-split-{}-{run}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder)?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes)?;
    }
    let script = format!(
        "const {{ readFileSync }} = require('fs'); const read = (name) => new WebAssembly.Module(readFileSync(name)); {script}"
    );
    let output = command("node", &["-e", &script]).current_dir(&folder).output()?;
    std::fs::remove_dir_all(&folder)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

const CALLS: &str = "
const { addSeen, twiceAndOne, byTable, rare } = first.exports;
console.log([addSeen(5), twiceAndOne(4), byTable(6), rare(7), addSeen(1)].join(' '), logged.join(' '));";

const WHOLE: &str = "
const logged = [];
const first = new WebAssembly.Instance(read('whole.wasm'), { host: { log: (x) => logged.push(x) } });";

const PARTS: &str = "
const logged = [], host = { log: (x) => logged.push(x) };
let second;
const load = () => (second ??= new WebAssembly.Instance(read('second.wasm'), { host, primary: first.exports }));
const slot = (name) => (x) => { load(); return first.exports.deferred_table.get(Number(name))(x); };
const deferred = new Proxy({}, { get: (_, name) => slot(name) });
const first = new WebAssembly.Instance(read('first.wasm'), { host, deferred });";

#[test]
fn two_parts_do_what_one_did() -> Result<()> {
    let whole = program();
    let expected = node(&[("whole.wasm", &whole)], &format!("{WHOLE}{CALLS}"))?;
    assert_eq!(expected, "105 9 12 224 113 5 7 1");
    // `twice` is called by the first part, stands in the table, and is called by the second.
    for kept in [vec![], vec![ADD_SEEN], vec![ADD_SEEN, TWICE_AND_ONE], vec![TWICE, BY_TABLE], vec![RARE]] {
        let parts = split(&whole, &kept.iter().copied().collect())?;
        let files = [("first.wasm", parts.first.as_slice()), ("second.wasm", &parts.second)];
        // Functions of the second part that stand in the table are not there before it is.
        for before in ["load();", "first.exports.rare(0); logged.pop();"] {
            let got = node(&files, &format!("{PARTS}{before}{CALLS}"))?;
            assert_eq!(got, expected, "kept {kept:?}, {before}");
        }
    }
    Ok(())
}

#[test]
fn the_first_part_needs_nothing_of_the_second_for_what_it_kept() -> Result<()> {
    let parts = split(&program(), &BTreeSet::from([ADD_SEEN, TWICE, TWICE_AND_ONE]))?;
    let script = "
const none = new Proxy({}, { get: (_, name) => () => { throw new Error(name); } });
const first = new WebAssembly.Instance(read('first.wasm'), { host: { log() {} }, deferred: none });
console.log(first.exports.addSeen(2), first.exports.twiceAndOne(3));
try { first.exports.rare(1); } catch (error) { console.log(error.message); }";
    assert_eq!(node(&[("first.wasm", &parts.first)], script)?, "102 7\n2");
    Ok(())
}

#[test]
fn a_traced_program_tells_what_ran() -> Result<()> {
    let script = "
const ran = [];
const { exports } = new WebAssembly.Instance(read('traced.wasm'), { host: { log() {} }, trace: { enter: (number) => ran.push(number) } });
console.log(exports.twiceAndOne(4), exports.rare(7), ran.join(' '));";
    let traced = traced(&program())?;
    assert_eq!(node(&[("traced.wasm", &traced)], script)?, "9 214 3 2 5 1 2");
    Ok(())
}

#[test]
fn parts_of_different_builds_do_not_fit() -> Result<()> {
    let [one, other] = [BTreeSet::from([TWICE]), BTreeSet::from([RARE])].map(|kept| split(&program(), &kept));
    let files = [("first.wasm", one?.first), ("second.wasm", other?.second)];
    let files = files.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    let script = format!(
        "{PARTS} try {{ load(); }} catch (error) {{ console.log(error instanceof WebAssembly.LinkError); }}"
    );
    assert_eq!(node(&files, &script)?, "true");
    Ok(())
}

#[test]
fn what_is_no_program_of_wasm_bindgen_is_refused() {
    assert!(split(b"not a program", &BTreeSet::new()).is_err());
    assert!(
        split(&Module::new().finish(), &BTreeSet::new())
            .is_err_and(|error| error.to_string().contains("table"))
    );
}
