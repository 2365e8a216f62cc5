//! Writes the two parts of a program.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection,
    Module, TableSection, TableType, TypeSection,
};
use wasmparser::{ExternalKind, Operator};

use super::program::Program;
use super::{DEFERRED, PRIMARY, Parts, TABLE};

/// How the program is parted.
struct Plan<'a> {
    program: &'a Program<'a>,
    /// Name under which the second part imports the table of functions.
    build: &'a str,
    /// Functions of the first and of the second part, by their numbers in the program. Those that begin alike stand together: the second
    /// part is 3 % smaller after brotli, which finds near copies cheaper.
    first: Vec<u32>,
    second: Vec<u32>,
    is_second: BTreeSet<u32>,
    /// The table of functions.
    table: u32,
    /// Slot of each function of the second part that the first calls or exports.
    slots: BTreeMap<u32, u32>,
    /// How many slots the table has then.
    table_end: u32,
    /// Functions of the first part that the second calls.
    shared: BTreeSet<u32>,
    /// Imports that the second part calls.
    second_imports: BTreeSet<u32>,
}

/// Both parts; see [`split`](super::split).
pub fn parts(program: &Program<'_>, kept: &BTreeSet<u32>, build: &str) -> Result<Parts> {
    let plan = Plan::new(program, kept, build)?;
    Ok(Parts { first: plan.first_part()?, second: plan.second_part()? })
}

impl<'a> Plan<'a> {
    fn new(program: &'a Program<'a>, kept: &BTreeSet<u32>, build: &'a str) -> Result<Self> {
        let own = program.imported()..program.function_types.len() as u32;
        let (mut first, mut second): (Vec<u32>, Vec<u32>) = own.partition(|function| kept.contains(function));
        let is_second: BTreeSet<u32> = second.iter().copied().collect();
        first.sort_by_cached_key(|function| program.likeness(*function));
        second.sort_by_cached_key(|function| program.likeness(*function));
        let table = program.function_table()?;

        // Where functions of the second part stand already.
        let mut places = BTreeMap::new();
        let mut end = u32::try_from(program.tables[table as usize].ty.initial)?;
        for elements in program.elements.iter().filter(|elements| elements.table == table) {
            for (slot, function) in (elements.start..).zip(&elements.functions) {
                if is_second.contains(function) {
                    places.insert(*function, slot);
                }
                end = end.max(slot + 1);
            }
        }
        let mut slots = BTreeMap::new();
        let mut reach = |function: u32| {
            if is_second.contains(&function) {
                slots.entry(function).or_insert_with(|| {
                    places.get(&function).copied().unwrap_or_else(|| {
                        end += 1;
                        end - 1
                    })
                });
            }
        };
        for function in &first {
            program.calls(*function, &mut reach)?;
        }
        for export in program.exports.iter().filter(|export| export.kind == ExternalKind::Func) {
            reach(export.index);
        }
        let (mut shared, mut second_imports) = (BTreeSet::new(), BTreeSet::new());
        for function in &second {
            program.calls(*function, |called| {
                if called < program.imported() {
                    second_imports.insert(called);
                } else if kept.contains(&called) {
                    shared.insert(called);
                }
            })?;
        }
        Ok(Self {
            program,
            build,
            first,
            second,
            is_second,
            table,
            slots,
            table_end: end,
            shared,
            second_imports,
        })
    }

    fn types(&self, renumber: &mut Renumber<'_>) -> Result<TypeSection> {
        let mut types = TypeSection::new();
        renumber.parse_type_section(
            &mut types,
            self.program.types.clone().context("the program has no types")?,
        )?;
        Ok(types)
    }

    /// A table of the first part: that of functions has slots more.
    fn table_type(&self, index: u32, renumber: &mut Renumber<'_>) -> Result<TableType> {
        let mut kind = renumber.table_type(self.program.tables[index as usize].ty)?;
        if index == self.table {
            kind.minimum = u64::from(self.table_end);
            kind.maximum = kind.maximum.map(|maximum| maximum.max(kind.minimum));
        }
        Ok(kind)
    }

    fn first_part(&self) -> Result<Vec<u8>> {
        let program = self.program;
        let placeholders: Vec<(u32, u32)> =
            self.slots.iter().map(|(function, slot)| (*function, *slot)).collect();
        let mut numbers = BTreeMap::new();
        let mut next = 0;
        let mut number = |function: u32| {
            numbers.insert(function, next);
            next += 1;
        };
        (0..program.imported()).for_each(&mut number);
        placeholders.iter().for_each(|(function, _)| number(*function));
        self.first.iter().for_each(|function| number(*function));
        // Exported functions of the second part: the first has one that calls them through their slot.
        let exported = program.exports.iter().filter(|export| export.kind == ExternalKind::Func);
        let forwarded: BTreeSet<u32> =
            exported.map(|export| export.index).filter(|index| self.is_second.contains(index)).collect();
        let forwards: BTreeMap<u32, u32> = forwarded.iter().copied().zip(next..).collect();
        let mut renumber = Renumber { numbers: &numbers, calls: Some((&self.slots, self.table, program)) };

        let mut imports = ImportSection::new();
        for import in &program.imports {
            renumber.parse_import(&mut imports, *import)?;
        }
        for (function, slot) in &placeholders {
            let kind = EntityType::Function(program.function_types[*function as usize]);
            imports.import(DEFERRED, &slot.to_string(), kind);
        }
        let mut functions = FunctionSection::new();
        for function in self.first.iter().chain(&forwarded) {
            functions.function(program.function_types[*function as usize]);
        }
        let mut tables = TableSection::new();
        for index in 0..program.tables.len() {
            tables.table(self.table_type(index as u32, &mut renumber)?);
        }
        let mut memories = MemorySection::new();
        for memory in &program.memories {
            memories.memory(renumber.memory_type(*memory)?);
        }
        let mut globals = GlobalSection::new();
        for global in &program.globals {
            renumber.parse_global(&mut globals, global.clone())?;
        }

        let mut exports = ExportSection::new();
        for export in &program.exports {
            match forwards.get(&export.index).filter(|_| export.kind == ExternalKind::Func) {
                Some(forward) => exports.export(export.name, ExportKind::Func, *forward),
                None => {
                    renumber.parse_export(&mut exports, *export)?;
                    &mut exports
                }
            };
        }
        for shared in self.shared() {
            let index = if shared.kind == ExportKind::Func { numbers[&shared.index] } else { shared.index };
            exports.export(&shared.name, shared.kind, index);
        }
        exports.export(TABLE, ExportKind::Table, self.table);

        let mut elements = ElementSection::new();
        let own = |function: &u32| numbers.get(function).copied();
        self.put_runs(&mut elements, own);

        let mut code = CodeSection::new();
        for function in &self.first {
            code.function(&renumber.body(program, *function)?);
        }
        let types = self.types(&mut renumber)?;
        for function in &forwarded {
            code.function(&self.forward(*function)?);
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables).section(&memories);
        module.section(&globals).section(&exports).section(&elements);
        if let Some(count) = program.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(&code);
        if let Some(reader) = &program.data {
            let mut data = DataSection::new();
            renumber.parse_data_section(&mut data, reader.clone())?;
            module.section(&data);
        }
        Ok(module.finish())
    }

    fn second_part(&self) -> Result<Vec<u8>> {
        let program = self.program;
        let mut numbers = BTreeMap::new();
        let called = self.second_imports.iter().chain(&self.shared).chain(&self.second);
        for (number, function) in called.enumerate() {
            numbers.insert(*function, number as u32);
        }
        let mut renumber = Renumber { numbers: &numbers, calls: None };

        let mut imports = ImportSection::new();
        for import in &self.second_imports {
            renumber.parse_import(&mut imports, program.imports[*import as usize])?;
        }
        for shared in self.shared() {
            let index = shared.index as usize;
            let kind = match shared.kind {
                ExportKind::Func => EntityType::Function(program.function_types[index]),
                ExportKind::Table => EntityType::Table(self.table_type(shared.index, &mut renumber)?),
                ExportKind::Memory => EntityType::Memory(renumber.memory_type(program.memories[index])?),
                _ => EntityType::Global(renumber.global_type(program.globals[index].ty)?),
            };
            imports.import(PRIMARY, &shared.name, kind);
        }
        let mut functions = FunctionSection::new();
        for function in &self.second {
            functions.function(program.function_types[*function as usize]);
        }
        let mut elements = ElementSection::new();
        self.put_runs(&mut elements, |function| {
            numbers.get(function).copied().filter(|_| self.is_second.contains(function))
        });
        let mut code = CodeSection::new();
        for function in &self.second {
            code.function(&renumber.body(program, *function)?);
        }
        let types = self.types(&mut renumber)?;
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&elements);
        // Code that reads passive data names segments the second part has not: there are none, or this does not validate.
        module.section(&code);
        Ok(module.finish())
    }

    /// Puts those functions into the table that have a number, neighbours in one segment.
    fn put_runs(&self, elements: &mut ElementSection, number: impl Fn(&u32) -> Option<u32>) {
        let own = self.program.elements.iter().filter(|segment| segment.table == self.table);
        // A function may stand in several slots.
        let stood = own.flat_map(|segment| (segment.start..).zip(&segment.functions));
        let all = stood.chain(self.slots.iter().map(|(function, slot)| (*slot, function)));
        let slots: BTreeMap<u32, u32> =
            all.filter_map(|(slot, function)| Some((slot, number(function)?))).collect();
        let slots: Vec<(u32, u32)> = slots.into_iter().collect();
        for run in slots.chunk_by(|a, b| a.0 + 1 == b.0) {
            let functions: Vec<u32> = run.iter().map(|(_, function)| *function).collect();
            let table = (self.table != 0).then_some(self.table);
            let start = ConstExpr::i32_const(run[0].0 as i32);
            elements.active(table, &start, Elements::Functions(functions.into()));
        }
    }

    /// What the first part exports for the second, in the order in which that imports it.
    fn shared(&self) -> Vec<Shared> {
        let all = |count: usize, kind| (0..count as u32).map(move |index| (kind, index));
        let functions = self.shared.iter().map(|function| (ExportKind::Func, *function));
        let program = self.program;
        functions
            .chain(all(program.tables.len(), ExportKind::Table))
            .chain(all(program.memories.len(), ExportKind::Memory))
            .chain(all(program.globals.len(), ExportKind::Global))
            .enumerate()
            .map(|(number, (kind, index))| {
                let is_table = kind == ExportKind::Table && index == self.table;
                let name = if is_table { self.build.to_owned() } else { format!("{number:x}") };
                Shared { name, kind, index }
            })
            .collect()
    }

    /// A function that passes its arguments on to one of the second part.
    fn forward(&self, function: u32) -> Result<Function> {
        let kind = self.program.function_types[function as usize];
        let mut types =
            self.program.types.clone().context("the program has no types")?.into_iter_err_on_gc_types();
        let parameters = types.nth(kind as usize).context("a function of no known type")??.params().len();
        let mut forward = Function::new([]);
        for parameter in 0..parameters as u32 {
            forward.instruction(&Instruction::LocalGet(parameter));
        }
        forward.instruction(&Instruction::I32Const(self.slots[&function] as i32));
        forward.instruction(&Instruction::CallIndirect { type_index: kind, table_index: self.table });
        forward.instruction(&Instruction::End);
        Ok(forward)
    }
}

/// Something of the first part that the second uses.
struct Shared {
    name: String,
    kind: ExportKind,
    index: u32,
}

/// Rewrites code for functions' new numbers.
struct Renumber<'a> {
    numbers: &'a BTreeMap<u32, u32>,
    /// Functions that are called through slots of a table.
    calls: Option<(&'a BTreeMap<u32, u32>, u32, &'a Program<'a>)>,
}

impl Reencode for Renumber<'_> {
    type Error = OfOtherPart;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        self.numbers.get(&function).copied().ok_or(Error::UserError(OfOtherPart(function)))
    }
}

/// A function that the part at hand does not have.
#[derive(Debug)]
struct OfOtherPart(u32);

impl std::fmt::Display for OfOtherPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "function {} is in the other part of the program", self.0)
    }
}

impl std::error::Error for OfOtherPart {}

impl Renumber<'_> {
    fn body(&mut self, program: &Program<'_>, function: u32) -> Result<Function> {
        let body = &program.bodies[(function - program.imported()) as usize];
        let mut written = self.new_function_with_parsed_locals(body)?;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            if let (Operator::Call { function_index }, Some((slots, table_index, program))) =
                (&operator, self.calls)
                && let Some(slot) = slots.get(function_index)
            {
                let type_index = program.function_types[*function_index as usize];
                written.instruction(&Instruction::I32Const(*slot as i32));
                written.instruction(&Instruction::CallIndirect { type_index, table_index });
                continue;
            }
            written.instruction(&self.instruction(operator)?);
        }
        Ok(written)
    }
}
