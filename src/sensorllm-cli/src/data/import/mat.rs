//! MATLAB level 5 files (`.mat` as MATLAB 5 to 7.2 writes them): numeric matrices and text, zlib-compressed or not.
//!
//! A file is a 128-byte header and data elements: a type, a length, and that many bytes, padded to 8. A variable is an
//! element of type 14 with elements inside: flags, dimensions, name, values. Type 15 wraps one in a zlib stream. The
//! facts are from the vendor's description of the format.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

/// One variable of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variable {
    /// Its name.
    pub(super) name: String,
    /// Its sizes; at least two.
    pub(super) shape: Vec<usize>,
    /// Its values in MATLAB's order, column after column; characters as their codes.
    pub(super) values: Vec<f64>,
    /// Whether it is text.
    pub(super) is_text: bool,
}

impl Variable {
    /// A text variable's characters.
    pub(super) fn text(&self) -> Option<String> {
        let character = |&code: &f64| char::from_u32(code as u32).unwrap_or('\u{fffd}');
        self.is_text.then(|| self.values.iter().map(character).collect())
    }
}

/// More than the largest trial by far: a damaged length must not ask for all memory.
const LONGEST_VARIABLE: u64 = 1 << 30;

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// All variables of a file that are numeric or text; others (structures, cells) are passed over.
///
/// # Errors
/// A message that says what is wrong with the bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Variable>, String> {
    if bytes.starts_with(b"\x89HDF") || bytes.get(..19) == Some(b"MATLAB 7.3 MAT-file") {
        return Err("a MATLAB 7.3 (HDF5) file; save it with `-v7`".to_owned());
    }
    let (header, mut rest) = bytes.split_at_checked(128).ok_or("shorter than the header of a .mat file")?;
    match &header[124..] {
        [_, 1, b'I', b'M'] => {}
        [1, _, b'M', b'I'] => return Err("a big-endian .mat file, which is not supported".to_owned()),
        _ => return Err("not a MATLAB level 5 file".to_owned()),
    }
    let mut variables = Vec::new();
    while !rest.is_empty() {
        let element = take(&mut rest)?;
        let variable = match element.kind {
            COMPRESSED => {
                let mut inner = Vec::new();
                let mut stream = ZlibDecoder::new(element.body).take(LONGEST_VARIABLE);
                stream
                    .read_to_end(&mut inner)
                    .map_err(|e| format!("a compressed variable is damaged: {e}"))?;
                let mut inner = inner.as_slice();
                let element = take(&mut inner)?;
                if element.kind == MATRIX { variable(element.body)? } else { None }
            }
            MATRIX => variable(element.body)?,
            _ => None,
        };
        variables.extend(variable);
    }
    Ok(variables)
}

struct Element<'a> {
    kind: u32,
    body: &'a [u8],
}

/// Takes one element and its padding off the front of `rest`.
fn take<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, String> {
    let ended = || "the file ends inside a variable".to_owned();
    let (tag, after) = rest.split_at_checked(8).ok_or_else(ended)?;
    let first = u32::from_le_bytes([tag[0], tag[1], tag[2], tag[3]]);
    if first >> 16 != 0 {
        // The small form: length and type share the first word, up to four bytes of content the second.
        let length = (first >> 16) as usize;
        let body = tag[4..].get(..length).ok_or("a small element is longer than four bytes")?;
        *rest = after;
        return Ok(Element { kind: first & 0xffff, body });
    }
    let length = u32::from_le_bytes([tag[4], tag[5], tag[6], tag[7]]) as usize;
    let (body, mut after) = after.split_at_checked(length).ok_or_else(ended)?;
    if first != COMPRESSED {
        // Some writers leave out the padding at the very end.
        after = after.get((8 - length % 8) % 8..).unwrap_or(&[]);
    }
    *rest = after;
    Ok(Element { kind: first, body })
}

/// The variable in the body of a matrix element; `None` for kinds without plain values.
fn variable(body: &[u8]) -> Result<Option<Variable>, String> {
    let mut rest = body;
    let flags = take(&mut rest)?.body;
    let class = *flags.first().ok_or("a variable without flags")?;
    // Text, then numbers: double, single, and integers of 8 to 64 bits.
    if !matches!(class, 4 | 6..=15) {
        return Ok(None);
    }
    if flags.get(1).is_some_and(|flag| flag & 0x08 != 0) {
        return Ok(None);
    }
    let shape: Vec<usize> = take(&mut rest)?
        .body
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&size| usize::try_from(i32::from_le_bytes(size)).unwrap_or(0))
        .collect();
    let name = String::from_utf8_lossy(take(&mut rest)?.body).into_owned();
    let values = numbers(&take(&mut rest)?)?;
    let needed = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    // UTF-8 text may have more bytes than characters.
    if class != 4 && needed != Some(values.len()) {
        return Err(format!("variable `{name}` of shape {shape:?} has {} values", values.len()));
    }
    Ok(Some(Variable { name, shape, values, is_text: class == 4 }))
}

/// The values of a numeric element, whatever type they are stored in.
fn numbers(element: &Element<'_>) -> Result<Vec<f64>, String> {
    fn all<const N: usize>(body: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        body.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
    }
    let body = element.body;
    Ok(match element.kind {
        1 => all(body, |b| f64::from(i8::from_le_bytes(b))),
        2 => all(body, |b: [u8; 1]| f64::from(b[0])),
        3 => all(body, |b| f64::from(i16::from_le_bytes(b))),
        4 | 17 => all(body, |b| f64::from(u16::from_le_bytes(b))),
        5 => all(body, |b| f64::from(i32::from_le_bytes(b))),
        6 | 18 => all(body, |b| f64::from(u32::from_le_bytes(b))),
        7 => all(body, |b| f64::from(f32::from_le_bytes(b))),
        9 => all(body, f64::from_le_bytes),
        12 => all(body, |b| i64::from_le_bytes(b) as f64),
        13 => all(body, |b| u64::from_le_bytes(b) as f64),
        16 => String::from_utf8_lossy(body).chars().map(|c| f64::from(u32::from(c))).collect(),
        kind => return Err(format!("values of the unknown type {kind}")),
    })
}

/// Bytes of files, for tests that write data sets.
#[cfg(test)]
pub(super) mod write {
    use std::io::Write as _;

    /// A file with these variables; every second one is compressed.
    pub(crate) fn file(variables: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file, written by a test".to_vec();
        bytes.resize(124, b' ');
        bytes.extend([0, 1, b'I', b'M']);
        for (index, variable) in variables.iter().enumerate() {
            if index % 2 == 0 {
                let mut zip = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                zip.write_all(variable).expect("zipped");
                let body = zip.finish().expect("zipped");
                bytes.extend(15u32.to_le_bytes());
                bytes.extend((body.len() as u32).to_le_bytes());
                bytes.extend(body);
            } else {
                bytes.extend(variable);
            }
        }
        bytes
    }

    /// A matrix of doubles, given row by row.
    pub(crate) fn matrix(name: &str, rows: &[[f64; 6]]) -> Vec<u8> {
        let columns = (0..6).flat_map(|column| rows.iter().map(move |row| row[column]));
        let values: Vec<u8> = columns.flat_map(f64::to_le_bytes).collect();
        variable(name, 6, [rows.len() as i32, 6], 9, &values)
    }

    /// Text as MATLAB stores it: two bytes a character.
    pub(crate) fn text(name: &str, text: &str) -> Vec<u8> {
        let values: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        variable(name, 4, [1, text.len() as i32], 4, &values)
    }

    pub(crate) fn variable(name: &str, class: u8, shape: [i32; 2], kind: u32, values: &[u8]) -> Vec<u8> {
        let sizes: Vec<u8> = shape.into_iter().flat_map(i32::to_le_bytes).collect();
        let parts = [
            element(6, &[class, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &sizes),
            element(1, name.as_bytes()),
            element(kind, values),
        ];
        element(14, &parts.concat())
    }

    fn element(kind: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        if (1..=4).contains(&body.len()) {
            bytes.extend((kind | (body.len() as u32) << 16).to_le_bytes());
            bytes.extend(body);
        } else {
            bytes.extend(kind.to_le_bytes());
            bytes.extend((body.len() as u32).to_le_bytes());
            bytes.extend(body);
        }
        while bytes.len() % 8 != 0 {
            bytes.push(0);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_and_text_compressed_or_not() {
        let rows = [[1.0, 2.0, 3.0, 4.0, 5.0, 6.5], [-1.0, 0.0, 0.25, 0.0, 0.0, -7.0]];
        let bytes = write::file(&[
            write::matrix("sensor_readings", &rows),
            write::text("height", "170cm"),
            write::variable("small", 12, [1, 2], 1, &[3, 0xff]),
            write::variable("a_cell", 1, [1, 1], 14, &[]),
        ]);
        let variables = read(&bytes).expect("a valid file");
        assert_eq!(variables.len(), 3, "the cell is passed over");
        assert_eq!(
            (variables[0].name.as_str(), variables[0].shape.as_slice()),
            ("sensor_readings", &[2, 6][..])
        );
        assert_eq!(variables[0].values[..4], [1.0, -1.0, 2.0, 0.0], "column after column");
        assert_eq!(variables[1].text().as_deref(), Some("170cm"));
        assert_eq!(variables[2].values, [3.0, -1.0]);
        assert_eq!(variables[2].text(), None);
    }

    #[test]
    fn damaged_files_are_errors_wherever_they_end() {
        let rows = [[0.5; 6]; 40];
        for compressed in [true, false] {
            let filler = write::text("title", "USC");
            let matrix = write::matrix("sensor_readings", &rows);
            let bytes = write::file(&if compressed { vec![matrix] } else { vec![filler, matrix] });
            for length in (0..bytes.len()).filter(|length| *length != 128) {
                let outcome = read(&bytes[..length]);
                let whole = outcome.is_ok_and(|found| found.iter().any(|v| v.name == "sensor_readings"));
                assert!(!whole, "{length} of {} bytes", bytes.len());
            }
        }
        let mut other = write::file(&[]);
        other[126..128].copy_from_slice(b"XX");
        assert!(read(&other).is_err_and(|message| message.contains("level 5")));
        assert!(read(b"\x89HDF\r\n").is_err_and(|message| message.contains("7.3")));
        let short = write::variable("x", 6, [3, 1], 9, &1.0f64.to_le_bytes());
        assert!(read(&write::file(&[short])).is_err_and(|message| message.contains("1 values")));
    }
}
