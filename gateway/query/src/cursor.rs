//! SQL-level cursors: DECLARE, FETCH, MOVE, CLOSE.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use mantissa_core::{ErrorKind, Field, Problem, RowStream, Rows};

use crate::outcome::Result;
use crate::statement::Direction;

pub(crate) struct Cursor {
    pub name: String,
    pub text: String,
    pub fields: Arc<[Field]>,
    pub binary: bool,
    pub hold: bool,
    pub scroll: bool,
    pub created_at: DateTime<Utc>,
    source: Option<RowStream>,
    /// Rows read from the source and not passed yet.
    pending: Option<RecordBatch>,
    /// Rows passed, kept for going back; only for SCROLL cursors.
    passed: Vec<RecordBatch>,
    /// Rows before or at the cursor: 0 is before the first row.
    position: i64,
    /// The cursor stands after the last row.
    after_last: bool,
}

impl Cursor {
    pub fn new(declare: &crate::statement::Declare, rows: Rows, created_at: DateTime<Utc>) -> Self {
        Self {
            name: declare.name.clone(),
            text: declare.text.clone(),
            fields: rows.fields,
            binary: declare.binary,
            hold: declare.hold,
            scroll: declare.scroll.unwrap_or(false),
            created_at,
            source: Some(rows.batches),
            pending: None,
            passed: Vec::new(),
            position: 0,
            after_last: false,
        }
    }

    /// Moves the cursor and gives the rows it passed, in the order of the move.
    pub async fn fetch(&mut self, direction: Direction) -> Result<Vec<RecordBatch>> {
        match direction {
            Direction::Forward(0) | Direction::Relative(0) => self.current(),
            Direction::Forward(count) if count > 0 => self.forward(count).await,
            Direction::Forward(count) => self.backward(-count),
            Direction::ForwardAll => self.forward(i64::MAX).await,
            Direction::Backward(count) if count > 0 => self.backward(count),
            Direction::Backward(count) => self.forward(-count).await,
            Direction::BackwardAll => self.backward(i64::MAX),
            Direction::Relative(count) => self.relative(count).await,
            Direction::Absolute(row) => self.absolute(row).await,
        }
    }

    async fn forward(&mut self, count: i64) -> Result<Vec<RecordBatch>> {
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        let mut batches = Vec::new();
        while left > 0 {
            let Some(batch) = self.next_batch().await? else {
                self.after_last = true;
                break;
            };
            let taken = batch.num_rows().min(left);
            if taken < batch.num_rows() {
                self.pending = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            left -= taken;
            self.position += taken as i64;
            let batch = batch.slice(0, taken);
            if self.scroll {
                self.passed.push(batch.clone());
            }
            batches.push(batch);
        }
        Ok(batches)
    }

    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.pending.take() {
            return Ok(Some(batch));
        }
        let Some(source) = self.source.as_mut() else { return Ok(None) };
        while let Some(batch) = source.next().await {
            let batch = batch?;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        self.source = None;
        Ok(None)
    }

    fn backward(&mut self, count: i64) -> Result<Vec<RecordBatch>> {
        let Some(all) = self.rewind()? else { return Ok(Vec::new()) };
        let here = if self.after_last { self.position + 1 } else { self.position };
        let last = here - 1;
        let first = (last.saturating_sub(count - 1)).max(1);
        let mut batches = Vec::new();
        for row in (first..=last).rev() {
            batches.push(all.slice(row as usize - 1, 1));
        }
        let reached = if count > last { 0 } else { first };
        self.stand_at(&all, reached);
        Ok(batches)
    }

    async fn relative(&mut self, count: i64) -> Result<Vec<RecordBatch>> {
        let here = if self.after_last { self.position + 1 } else { self.position };
        self.absolute_row(here + count).await
    }

    async fn absolute(&mut self, row: i64) -> Result<Vec<RecordBatch>> {
        if row >= 0 {
            return self.absolute_row(row).await;
        }
        self.forward(i64::MAX).await?;
        let total = self.position;
        self.absolute_row((total + 1 + row).max(0)).await
    }

    /// Stands on row `row` (from 1) and gives it.
    async fn absolute_row(&mut self, row: i64) -> Result<Vec<RecordBatch>> {
        if row > self.position && !(self.after_last) {
            if row - self.position > 1 {
                self.forward(row - self.position - 1).await?;
            }
            return self.forward(1).await;
        }
        let Some(all) = self.rewind()? else { return Ok(Vec::new()) };
        let total = all.num_rows() as i64;
        if row > total {
            self.after_last = true;
            return Ok(Vec::new());
        }
        self.stand_at(&all, row.max(0));
        Ok(if row > 0 { vec![all.slice(row as usize - 1, 1)] } else { Vec::new() })
    }

    fn current(&self) -> Result<Vec<RecordBatch>> {
        if self.position == 0 || self.after_last {
            return Ok(Vec::new());
        }
        let last = self.passed.last().ok_or_else(forward_only)?;
        Ok(vec![last.slice(last.num_rows() - 1, 1)])
    }

    /// Every row read so far (passed and pending) as one batch. `None` where there are none.
    fn rewind(&mut self) -> Result<Option<RecordBatch>> {
        if !self.scroll {
            return Err(forward_only());
        }
        let known: Vec<&RecordBatch> = self.passed.iter().chain(self.pending.as_ref()).collect();
        let Some(first) = known.first() else { return Ok(None) };
        let all = concat_batches(&first.schema(), known.iter().copied())
            .map_err(|error| Problem::new(ErrorKind::Internal, "cannot scroll this cursor").caused_by(error))?;
        Ok(Some(all))
    }

    fn stand_at(&mut self, all: &RecordBatch, row: i64) {
        let at = row as usize;
        self.passed = if at > 0 { vec![all.slice(0, at)] } else { Vec::new() };
        self.pending = (at < all.num_rows()).then(|| all.slice(at, all.num_rows() - at));
        self.position = row;
        self.after_last = false;
    }
}

fn forward_only() -> Problem {
    Problem::new(ErrorKind::ObjectNotInPrerequisiteState, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{Declare, Statement};
    use arrow::array::{AsArray, Int32Array};
    use arrow::datatypes::{DataType, Int32Type, Schema};
    use mantissa_core::PgType;

    fn cursor(scroll: bool) -> Cursor {
        let text = format!("DECLARE c {} CURSOR FOR SELECT 1", if scroll { "SCROLL" } else { "" });
        let Ok(Statement::Declare(declare)) = Statement::parse(&text) else { panic!("{text}") };
        let declare: Declare = *declare;
        let schema = Arc::new(Schema::new(vec![arrow::datatypes::Field::new("n", DataType::Int32, true)]));
        let batch =
            |values: Vec<i32>| RecordBatch::try_new(schema.clone(), vec![Arc::new(Int32Array::from(values))]).unwrap();
        let rows = Rows::from_batches([Field::new("n", PgType::INT4)], vec![batch(vec![1, 2, 3]), batch(vec![4, 5])]);
        Cursor::new(&declare, rows, DateTime::UNIX_EPOCH)
    }

    async fn fetch(cursor: &mut Cursor, direction: Direction) -> Vec<i32> {
        let batches = cursor.fetch(direction).await.unwrap();
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().values().to_vec()).collect()
    }

    #[tokio::test]
    async fn a_scroll_cursor_moves_as_in_postgres() {
        let mut cursor = cursor(true);
        for (direction, rows) in [
            (Direction::Forward(2), vec![1, 2]),
            (Direction::Relative(0), vec![2]),
            (Direction::Backward(1), vec![1]),
            (Direction::Forward(2), vec![2, 3]),
            (Direction::Absolute(-1), vec![5]),
            (Direction::Absolute(2), vec![2]),
            (Direction::ForwardAll, vec![3, 4, 5]),
            (Direction::Forward(1), vec![]),
            (Direction::BackwardAll, vec![5, 4, 3, 2, 1]),
            (Direction::Forward(1), vec![1]),
            (Direction::Relative(3), vec![4]),
            (Direction::Absolute(9), vec![]),
            (Direction::Backward(2), vec![5, 4]),
        ] {
            assert_eq!(fetch(&mut cursor, direction).await, rows, "{direction:?}");
        }
    }

    #[tokio::test]
    async fn a_plain_cursor_only_goes_forward() {
        let mut cursor = cursor(false);
        assert_eq!(fetch(&mut cursor, Direction::Forward(4)).await, [1, 2, 3, 4]);
        let problem = cursor.fetch(Direction::Backward(1)).await.unwrap_err();
        assert_eq!(problem.kind, ErrorKind::ObjectNotInPrerequisiteState);
        assert_eq!(fetch(&mut cursor, Direction::ForwardAll).await, [5]);
    }
}
