use chrono::{DateTime, NaiveDate};
use mantissa_core::UserName;
use sqlx::{Executor, Row, Sqlite};

use super::{SqliteStore, closed_or};
use crate::{Reservation, Result, StoreError};

pub(super) async fn total(
    executor: impl Executor<'_, Database = Sqlite>,
    user: &UserName,
    day: NaiveDate,
) -> Result<f64> {
    let row = sqlx::query(
        "SELECT (SELECT coalesce(sum(usd), 0.0) FROM spend WHERE user_name = ?1 AND day = ?2)
              + (SELECT coalesce(sum(usd), 0.0) FROM reservations WHERE user_name = ?1 AND day = ?2)",
    )
    .bind(user.as_str())
    .bind(number(day))
    .fetch_one(executor)
    .await
    .map_err(closed_or)?;
    Ok(row.try_get(0)?)
}

impl SqliteStore {
    pub(super) async fn insert_reservation(
        &self,
        user: &UserName,
        day: NaiveDate,
        usd: f64,
        ceiling: f64,
    ) -> Result<Reservation> {
        let mut reservation = Reservation { id: None, user: user.clone(), day, usd };
        if usd == 0.0 {
            return Ok(reservation);
        }
        if !usd.is_finite() || usd < 0.0 {
            return Err(StoreError::InvalidCeiling("estimate"));
        }
        let mut transaction = self.begin().await?;
        let spent = total(&mut *transaction, user, day).await?;
        if spent + usd > ceiling {
            return Err(StoreError::DayCeiling { ceiling, spent, asked: usd });
        }
        let inserted = sqlx::query("INSERT INTO reservations (user_name, day, usd) VALUES (?, ?, ?)")
            .bind(user.as_str())
            .bind(number(day))
            .bind(usd)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        reservation.id = Some(inserted.last_insert_rowid());
        Ok(reservation)
    }

    pub(super) async fn settle_reservation(&self, reservation: Reservation, usd: f64) -> Result<()> {
        let usd = if usd.is_finite() { usd.max(0.0) } else { reservation.usd };
        if reservation.id.is_none() && usd == 0.0 {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM reservations WHERE id = ?").bind(reservation.id).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO spend VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET usd = usd + excluded.usd")
            .bind(reservation.user.as_str())
            .bind(number(reservation.day))
            .bind(usd)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

fn number(day: NaiveDate) -> i64 {
    day.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days()
}
