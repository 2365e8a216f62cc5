//! A WebAssembly program, read as far as parting it needs.

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    ElementItems, ElementKind, Export, FunctionBody, Global, Import, MemoryType, Operator, Parser, Payload,
    Table, TypeRef,
};

/// Bytes of a function that say what it is like.
const BEGINNING: usize = 10;

/// What the sections say.
#[derive(Default)]
pub struct Program<'a> {
    /// The section of types, as it stands.
    pub types: Option<wasmparser::TypeSectionReader<'a>>,
    /// Functions only; anything else is refused.
    pub imports: Vec<Import<'a>>,
    /// Type of each function, imported ones first.
    pub function_types: Vec<u32>,
    pub tables: Vec<Table<'a>>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<Global<'a>>,
    pub exports: Vec<Export<'a>>,
    pub elements: Vec<Elements>,
    pub data_count: Option<u32>,
    /// Bodies of the functions that are not imported.
    pub bodies: Vec<FunctionBody<'a>>,
    pub data: Option<wasmparser::DataSectionReader<'a>>,
}

/// Functions that stand in a table from the start.
pub struct Elements {
    pub table: u32,
    pub start: u32,
    pub functions: Vec<u32>,
}

impl<'a> Program<'a> {
    /// Reads a program. Names and other custom sections are left out.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut program = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            program.take(payload?)?;
        }
        Ok(program)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => self.types = Some(types),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    let TypeRef::Func(kind) = import.ty else {
                        bail!("{} is imported and no function", import.name)
                    };
                    self.function_types.push(kind);
                    self.imports.push(import);
                }
            }
            Payload::FunctionSection(functions) => {
                for kind in functions {
                    self.function_types.push(kind?);
                }
            }
            Payload::TableSection(tables) => self.tables = tables.into_iter().collect::<Result<_, _>>()?,
            Payload::MemorySection(memories) => {
                self.memories = memories.into_iter().collect::<Result<_, _>>()?
            }
            Payload::GlobalSection(globals) => {
                self.globals = globals.into_iter().collect::<Result<_, _>>()?
            }
            Payload::ExportSection(exports) => {
                self.exports = exports.into_iter().collect::<Result<_, _>>()?
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    self.elements.push(Elements::read(element?)?);
                }
            }
            Payload::DataCountSection { count, .. } => self.data_count = Some(count),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(data) => self.data = Some(data),
            Payload::StartSection { .. } => bail!("the program has a start function"),
            Payload::TagSection(_) => bail!("the program has tags of exceptions"),
            _ => {}
        }
        Ok(())
    }

    /// How many functions are imported.
    pub fn imported(&self) -> u32 {
        self.imports.len() as u32
    }

    /// The table that holds functions.
    pub fn function_table(&self) -> Result<u32> {
        let holds_functions = |table: &Table<'_>| table.ty.element_type.is_func_ref();
        let index =
            self.tables.iter().position(holds_functions).context("the program has no table of functions")?;
        Ok(index as u32)
    }

    /// What functions are sorted by so that those that begin alike stand together.
    pub fn likeness(&self, function: u32) -> (&'a [u8], usize) {
        let body = self.bodies[(function - self.imported()) as usize].as_bytes();
        (&body[..body.len().min(BEGINNING)], body.len())
    }

    /// Calls `f` with each function that the body of `function` calls.
    pub fn calls(&self, function: u32, mut f: impl FnMut(u32)) -> Result<()> {
        let body = &self.bodies[(function - self.imported()) as usize];
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Call { function_index } => f(function_index),
                Operator::ReturnCall { .. } | Operator::RefFunc { .. } => {
                    bail!("function {function} has a tail call or takes a function's reference")
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Elements {
    fn read(element: wasmparser::Element<'_>) -> Result<Self> {
        let ElementKind::Active { table_index, offset_expr } = element.kind else {
            bail!("elements that are not put into a table from the start")
        };
        let mut offset = offset_expr.get_operators_reader();
        let Operator::I32Const { value } = offset.read()? else {
            bail!("elements whose place is not a number")
        };
        let functions = match element.items {
            ElementItems::Functions(functions) => functions.into_iter().collect::<Result<_, _>>()?,
            ElementItems::Expressions(_, expressions) => {
                let mut functions = Vec::new();
                for expression in expressions {
                    let Operator::RefFunc { function_index } = expression?.get_operators_reader().read()?
                    else {
                        bail!("an element that is not a function")
                    };
                    functions.push(function_index);
                }
                functions
            }
        };
        ensure!(value >= 0, "elements before the start of the table");
        Ok(Self { table: table_index.unwrap_or(0), start: value as u32, functions })
    }
}
