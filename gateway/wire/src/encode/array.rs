//! Arrow lists as Postgres arrays: text with its quoting rules, binary with dimensions.

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};
use mantissa_core::PgType;

use super::EncodeError;
use super::column::{Cell, Format, inner_cell};
use super::style::Style;

/// Postgres's own limit, MAXDIM.
const MAX_DIMENSIONS: usize = 6;

/// The cell of a list array; `None` where `array` is no list.
pub(super) fn cell(array: &ArrayRef, ty: PgType, format: Format, style: &Style) -> Result<Option<Cell>, EncodeError> {
    let Some(lists) = Lists::of(array) else { return Ok(None) };
    let vector = matches!(ty, PgType::INT2VECTOR | PgType::OIDVECTOR);
    let element = match ty {
        PgType::INT2VECTOR => PgType::INT2,
        PgType::OIDVECTOR => PgType::OID,
        // Some catalogue columns are declared `anyarray`; their elements travel as text.
        PgType::ANYARRAY => PgType::TEXT,
        _ => ty.element().ok_or(EncodeError::Unexpected(ty))?,
    };
    let levels = Levels::new(lists, element, format, style)?;
    Ok(Some(match (format, vector) {
        (Format::Text, true) => vector_text(levels),
        (Format::Text, false) => array_text(levels),
        (Format::Binary, _) => array_binary(levels, element, i32::from(!vector)),
    }))
}

/// Where the elements of each row lie, for the three list layouts of Arrow.
struct Lists {
    ranges: Box<dyn Fn(usize) -> (usize, usize) + Send>,
    nulls: Option<NullBuffer>,
    values: ArrayRef,
}

impl Lists {
    fn of(array: &ArrayRef) -> Option<Self> {
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let offsets = list.offsets().clone();
                let ranges = Box::new(move |row: usize| (offsets[row] as usize, offsets[row + 1] as usize));
                Some(Self { ranges, nulls, values: list.values().clone() })
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let offsets = list.offsets().clone();
                let ranges = Box::new(move |row: usize| (offsets[row] as usize, offsets[row + 1] as usize));
                Some(Self { ranges, nulls, values: list.values().clone() })
            }
            DataType::FixedSizeList(_, width) => {
                let list: &FixedSizeListArray = array.as_fixed_size_list();
                let width = usize::try_from(*width).ok()?;
                let first = list.value_offset(0) as usize;
                let ranges = Box::new(move |row: usize| (first + row * width, first + (row + 1) * width));
                Some(Self { ranges, nulls, values: list.values().clone() })
            }
            _ => None,
        }
    }
}

/// A list of lists is an array of two dimensions: the outer level first, then the elements.
struct Levels {
    outer: Vec<Lists>,
    element_nulls: Option<NullBuffer>,
    element: Cell,
    element_type: PgType,
    scratch: BytesMut,
}

impl Levels {
    fn new(lists: Lists, element_type: PgType, format: Format, style: &Style) -> Result<Self, EncodeError> {
        let mut outer = vec![lists];
        loop {
            let values = &outer[outer.len() - 1].values;
            let Some(inner) = Lists::of(values) else { break };
            if outer.len() == MAX_DIMENSIONS {
                return Err(EncodeError::RaggedArray);
            }
            outer.push(inner);
        }
        let values = &outer[outer.len() - 1].values;
        let element_nulls = values.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let element = inner_cell(values, element_type, format, style)?;
        Ok(Self { outer, element_nulls, element, element_type, scratch: BytesMut::new() })
    }

    fn element_is_null(&self, index: usize) -> bool {
        self.element_nulls.as_ref().is_some_and(|nulls| nulls.is_null(index))
    }

    /// Writes the elements of list `row` at `level`, in braces.
    fn put_text(&mut self, level: usize, row: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        let (start, end) = (self.outer[level].ranges)(row);
        out.put_u8(b'{');
        for index in start..end {
            if index > start {
                out.put_u8(b',');
            }
            if level + 1 < self.outer.len() {
                // Postgres has no null sub-arrays.
                if self.outer[level + 1].nulls.as_ref().is_some_and(|nulls| nulls.is_null(index)) {
                    return Err(EncodeError::RaggedArray);
                }
                self.put_text(level + 1, index, out)?;
            } else if self.element_is_null(index) {
                out.put_slice(b"NULL");
            } else {
                self.put_quoted(index, out)?;
            }
        }
        out.put_u8(b'}');
        Ok(())
    }

    fn put_quoted(&mut self, index: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        let start = out.len();
        (self.element)(index, out)?;
        if !needs_quotes(&out[start..]) {
            return Ok(());
        }
        self.scratch.clear();
        self.scratch.put_slice(&out[start..]);
        out.truncate(start);
        out.put_u8(b'"');
        for byte in &self.scratch {
            if matches!(byte, b'"' | b'\\') {
                out.put_u8(b'\\');
            }
            out.put_u8(*byte);
        }
        out.put_u8(b'"');
        Ok(())
    }

    /// Finds the length of each dimension and the elements, outer first. Empty lists have no dimension.
    fn shape(&self, row: usize) -> Result<(Vec<usize>, Vec<usize>), EncodeError> {
        let mut rows = vec![row];
        let mut dimensions = Vec::with_capacity(self.outer.len());
        for (level, lists) in self.outer.iter().enumerate() {
            let mut next = Vec::new();
            let mut length = None;
            for row in rows {
                if level > 0 && lists.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    return Err(EncodeError::RaggedArray);
                }
                let (start, end) = (lists.ranges)(row);
                if *length.get_or_insert(end - start) != end - start {
                    return Err(EncodeError::RaggedArray);
                }
                next.extend(start..end);
            }
            dimensions.push(length.unwrap_or(0));
            rows = next;
        }
        if rows.is_empty() {
            dimensions.clear();
        }
        Ok((dimensions, rows))
    }
}

/// The quoting rule of Postgres's array output.
fn needs_quotes(element: &[u8]) -> bool {
    element.is_empty()
        || element.eq_ignore_ascii_case(b"null")
        || element
            .iter()
            .any(|byte| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c))
}

fn array_text(mut levels: Levels) -> Cell {
    Box::new(move |row, out| {
        let (start, end) = (levels.outer[0].ranges)(row);
        // An empty array of any number of dimensions prints alike.
        if levels.outer.len() > 1 && (start == end || levels.shape(row)?.1.is_empty()) {
            out.put_slice(b"{}");
            return Ok(());
        }
        levels.put_text(0, row, out)
    })
}

fn vector_text(mut levels: Levels) -> Cell {
    Box::new(move |row, out| {
        let (start, end) = (levels.outer[0].ranges)(row);
        for index in start..end {
            if index > start {
                out.put_u8(b' ');
            }
            (levels.element)(index, out)?;
        }
        Ok(())
    })
}

fn array_binary(mut levels: Levels, element: PgType, lower_bound: i32) -> Cell {
    Box::new(move |row, out| {
        let (mut dimensions, elements) = levels.shape(row)?;
        if lower_bound == 0 && dimensions.is_empty() {
            dimensions.push(0);
        }
        let has_nulls = elements.iter().any(|index| levels.element_is_null(*index));
        out.put_i32(dimensions.len() as i32);
        out.put_i32(i32::from(has_nulls));
        out.put_u32(element.0);
        for length in dimensions {
            out.put_i32(i32::try_from(length).map_err(|_| EncodeError::TooLong)?);
            out.put_i32(lower_bound);
        }
        for index in elements {
            if levels.element_is_null(index) {
                out.put_i32(-1);
                continue;
            }
            let start = out.len();
            out.put_i32(0);
            (levels.element)(index, out)?;
            let length =
                i32::try_from(out.len() - start - 4).map_err(|_| EncodeError::OutOfRange(levels.element_type))?;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    })
}
