//! A program that tells which of its functions run.

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, EntityType, ImportSection, Instruction, Module, TypeSection, ValType};

use super::program::Program;

/// The program with an import `trace.enter`, which every function calls first with its own number.
///
/// # Errors
/// When the program is no WebAssembly or has what no program of wasm-bindgen has.
pub fn traced(program: &[u8]) -> Result<Vec<u8>> {
    let read = Program::parse(program)?;
    let types = read.types.as_ref().map_or(0, |section| section.count());
    let mut trace = Trace { imported: read.imported(), types, bodies: 0 };
    let mut module = Module::new();
    trace.parse_core_module(&mut module, wasmparser::Parser::new(0), program)?;
    Ok(module.finish())
}

struct Trace {
    /// Functions that the program imports; the new one comes after them.
    imported: u32,
    /// Types of the program; the new function's comes after them.
    types: u32,
    /// Bodies written so far.
    bodies: u32,
}

impl Reencode for Trace {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        Ok(function + u32::from(function >= self.imported))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32], []);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        utils::parse_import_section(self, imports, section)?;
        imports.import("trace", "enter", EntityType::Function(self.types));
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        function.instruction(&Instruction::I32Const((self.imported + self.bodies) as i32));
        function.instruction(&Instruction::Call(self.imported));
        self.bodies += 1;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            function.instruction(&self.parse_instruction(&mut operators)?);
        }
        code.function(&function);
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        _: &mut Module,
        _: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        // Names would name other functions now.
        Ok(())
    }
}
