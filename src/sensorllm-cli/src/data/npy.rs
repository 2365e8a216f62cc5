//! NumPy `.npy` arrays, version 1: little-endian 16-bit matrices and 32-bit vectors, nothing else.
//!
//! Layout: magic string, two version bytes, a little-endian u16 header length, an ASCII header that names type, order
//! and shape as a Python dictionary, and then the array.

/// Why bytes are not an array this reader knows.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NpyError {
    /// The magic string is missing.
    #[error("not a NumPy .npy file")]
    Magic,
    /// A format version other than 1.
    #[error(".npy version {0} is not supported, only version 1")]
    Version(u8),
    /// The header ends early, is not text or lacks a field.
    #[error("the .npy header is malformed ({0})")]
    Header(&'static str),
    /// Another element type.
    #[error("the array's type is `{found}`, expected `{expected}`")]
    Type {
        /// What the header says.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// Column-major arrays.
    #[error("the array is in Fortran order, expected C order")]
    FortranOrder,
    /// Another number of dimensions.
    #[error("the array has shape {found:?}, expected {expected}")]
    Shape {
        /// What the header says.
        found: Vec<usize>,
        /// What was asked for.
        expected: &'static str,
    },
    /// More or fewer bytes than the shape needs.
    #[error("the array has {found} bytes of values where its shape {shape:?} needs {needed}")]
    Length {
        /// The shape in the header.
        shape: Vec<usize>,
        /// Bytes that shape needs.
        needed: u128,
        /// Bytes that follow the header.
        found: usize,
    },
}

/// A matrix of integers in row-major order.
#[derive(Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// `rows * columns` values, row after row.
    pub values: Vec<i16>,
}

impl Matrix {
    /// One row.
    pub fn row(&self, index: usize) -> &[i16] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }
}

/// Reads a two-dimensional `<i2` array.
///
/// # Errors
/// When the bytes are not version 1 of the format, or are of another type, order, shape or length.
pub fn read_matrix_i16(bytes: &[u8]) -> Result<Matrix, NpyError> {
    let (shape, body) = parse(bytes, "<i2", 2)?;
    let &[rows, columns] = shape.as_slice() else {
        return Err(NpyError::Shape { found: shape, expected: "two dimensions (rows, channels)" });
    };
    let values = body.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
    Ok(Matrix { rows, columns, values })
}

/// Reads a one-dimensional `<i4` array; one column of a matrix passes too.
///
/// # Errors
/// As [`read_matrix_i16`].
pub fn read_vector_i32(bytes: &[u8]) -> Result<Vec<i32>, NpyError> {
    let (shape, body) = parse(bytes, "<i4", 4)?;
    if !matches!(shape.as_slice(), [_] | [_, 1]) {
        return Err(NpyError::Shape { found: shape, expected: "one dimension (rows)" });
    }
    Ok(body.as_chunks::<4>().0.iter().map(|&four| i32::from_le_bytes(four)).collect())
}

/// Checks header and length; returns the shape and the bytes of the values.
fn parse<'a>(
    bytes: &'a [u8],
    expected: &'static str,
    item: u128,
) -> Result<(Vec<usize>, &'a [u8]), NpyError> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or(NpyError::Magic)?;
    let &[major, _minor, low, high, ref rest @ ..] = rest else {
        return Err(NpyError::Header("the file ends inside it"));
    };
    if major != 1 {
        return Err(NpyError::Version(major));
    }
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (header, body) = rest.split_at_checked(length).ok_or(NpyError::Header("the file ends inside it"))?;
    let header = std::str::from_utf8(header).map_err(|_| NpyError::Header("it is not text"))?;

    let found = field(header, "descr").ok_or(NpyError::Header("no descr"))?.trim_matches(['\'', '"']);
    if found != expected {
        return Err(NpyError::Type { found: found.to_owned(), expected });
    }
    match field(header, "fortran_order") {
        Some("False") => {}
        Some("True") => return Err(NpyError::FortranOrder),
        _ => return Err(NpyError::Header("no fortran_order")),
    }
    let shape = shape(header).ok_or(NpyError::Header("no shape"))?;
    // Wide arithmetic: a damaged header may name sizes whose product overflows a usize.
    let needed = shape.iter().try_fold(item, |product, &size| product.checked_mul(size as u128));
    let needed = needed.unwrap_or(u128::MAX);
    if needed != body.len() as u128 {
        return Err(NpyError::Length { shape, needed, found: body.len() });
    }
    Ok((shape, body))
}

/// The text of a scalar field of the header's dictionary.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let after = header.split_once(&format!("'{name}'"))?.1.trim_start().strip_prefix(':')?;
    Some(after.split([',', '}']).next()?.trim())
}

/// The sizes in the header's `shape` tuple.
fn shape(header: &str) -> Option<Vec<usize>> {
    let tuple = header.split_once("'shape'")?.1.split_once('(')?.1.split_once(')')?.0;
    tuple.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
}

/// The bytes of a version 1 file before its values: `descr` is the element type, `shape` a Python tuple.
pub fn header(descr: &str, shape: &str) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    // Type and shape take some dozens of bytes: the length fits.
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes
}

/// Bytes of a version 1 file, for tests that write data sets.
#[cfg(test)]
pub(crate) fn file(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    [&header(descr, shape), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(values: &[i16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn reads_rows_and_columns_in_c_order() {
        let bytes = file("<i2", "(2, 3)", &body(&[1, -2, 3, 256, i16::MIN, i16::MAX]));
        let matrix = read_matrix_i16(&bytes).expect("a valid file");
        assert_eq!((matrix.rows, matrix.columns), (2, 3));
        assert_eq!(matrix.row(0), [1, -2, 3]);
        assert_eq!(matrix.row(1), [256, i16::MIN, i16::MAX]);
    }

    #[test]
    fn reads_a_vector_of_times() {
        let bytes = file("<i4", "(2,)", &[0, 0, 0, 0, 0x20, 0x4e, 0, 0]);
        assert_eq!(read_vector_i32(&bytes), Ok(vec![0, 20_000]));
    }

    #[test]
    fn says_what_is_wrong() {
        let good = file("<i2", "(2, 3)", &body(&[0; 6]));
        assert_eq!(read_matrix_i16(b""), Err(NpyError::Magic));
        assert_eq!(read_matrix_i16(b"time,x,y,z\n"), Err(NpyError::Magic));
        assert_eq!(read_matrix_i16(&good[..40]), Err(NpyError::Header("the file ends inside it")));
        assert!(matches!(
            read_matrix_i16(&good[..good.len() - 1]),
            Err(NpyError::Length { needed: 12, found: 11, .. })
        ));
        let mut version_two = good.clone();
        version_two[6] = 2;
        assert_eq!(read_matrix_i16(&version_two), Err(NpyError::Version(2)));
        assert!(matches!(
            read_matrix_i16(&file("<f4", "(1, 1)", &[0; 4])),
            Err(NpyError::Type { found, .. }) if found == "<f4"
        ));
        assert!(matches!(read_matrix_i16(&file("<i2", "(3,)", &[0; 6])), Err(NpyError::Shape { .. })));
        assert!(matches!(read_vector_i32(&file("<i4", "(1, 2)", &[0; 8])), Err(NpyError::Shape { .. })));
        let fortran = String::from_utf8_lossy(&good[10..]).replace("False", "True ");
        let fortran = [&good[..10], fortran.as_bytes()].concat();
        assert_eq!(read_matrix_i16(&fortran), Err(NpyError::FortranOrder));
    }

    #[test]
    fn a_shape_that_overflows_is_an_error() {
        let bytes = file("<i2", "(18446744073709551615, 18446744073709551615)", &[]);
        assert!(matches!(read_matrix_i16(&bytes), Err(NpyError::Length { found: 0, .. })));
    }
}
