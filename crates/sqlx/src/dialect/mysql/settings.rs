//! Settings of a connection with which no store is made.

use std::collections::HashMap;

use sqlx::MySql;
use sqlx::mysql::MySqlConnection;

use crate::dialect::{Engine, UnsafeSetting};

/// Not `SELECT @@…`: the isolation has another name in MariaDB than in MySQL, and each server fails at the other's. This
/// leaves out what the server does not know.
const ASK: &str = "SHOW SESSION VARIABLES WHERE Variable_name IN ('autocommit', 'completion_type', 'tx_isolation', \
    'transaction_isolation', 'sql_safe_updates', 'log_bin', 'sql_log_bin', 'binlog_format')";

const UNCOMMITTED: &str = "what was answered might never be committed";

pub(super) async fn unsafe_one(
    connection: &mut MySqlConnection,
) -> Result<Option<UnsafeSetting>, sqlx::Error> {
    // As text: not every server prepares this statement.
    let rows = sqlx::raw_sql(ASK).fetch_all(connection).await?;
    let mut settings = HashMap::new();
    for row in &rows {
        if let (Some(name), Some(value)) = (MySql::text(row, 0)?, MySql::text(row, 1)?) {
            settings.insert(name.to_lowercase(), value.to_uppercase());
        }
    }
    Ok(among(&settings))
}

fn among(settings: &HashMap<String, String>) -> Option<UnsafeSetting> {
    let has = |name: &str, value: &str| settings.get(name).is_some_and(|found| found == value);
    let logs = has("log_bin", "ON") && !has("sql_log_bin", "OFF");
    let (setting, harm) = if has("autocommit", "OFF") {
        ("autocommit = 0", UNCOMMITTED)
    } else if has("completion_type", "CHAIN") {
        // The end of a transaction begins another one, in which the next operation would write.
        ("completion_type = CHAIN", UNCOMMITTED)
    } else if has("tx_isolation", "READ-UNCOMMITTED")
        || has("transaction_isolation", "READ-UNCOMMITTED")
    {
        // A sign-in that is undone shows the sessions that it would have ended as gone.
        let harm = "a session could be missing that is live, or be found that was never stored";
        ("transaction_isolation = READ-UNCOMMITTED", harm)
    } else if has("sql_safe_updates", "ON") {
        let harm = "the server refuses to purge, and the table only grows";
        ("sql_safe_updates = 1", harm)
    } else if logs && has("binlog_format", "STATEMENT") {
        let harm = "the server refuses every write at the isolation READ COMMITTED";
        ("binlog_format = STATEMENT", harm)
    } else {
        return None;
    };
    Some(UnsafeSetting { setting, harm })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(settings: &[(&str, &str)]) -> Option<&'static str> {
        let usual = [
            ("autocommit", "ON"),
            ("completion_type", "NO_CHAIN"),
            ("sql_safe_updates", "OFF"),
            ("binlog_format", "MIXED"),
        ];
        let settings = usual.iter().chain(settings);
        let settings = settings.map(|&(name, value)| (name.to_owned(), value.to_owned()));
        among(&settings.collect()).map(|refused| refused.setting)
    }

    #[test]
    fn the_isolation_is_seen_under_both_names() {
        let setting = "transaction_isolation = READ-UNCOMMITTED";
        for name in ["tx_isolation", "transaction_isolation"] {
            assert_eq!(refused(&[(name, "READ-UNCOMMITTED")]), Some(setting));
            for isolation in ["READ-COMMITTED", "REPEATABLE-READ", "SERIALIZABLE"] {
                assert_eq!(refused(&[(name, isolation)]), None);
            }
        }
    }

    #[test]
    fn the_form_of_the_log_matters_where_there_is_one() {
        let statement = ("binlog_format", "STATEMENT");
        let log = ("log_bin", "ON");
        let setting = Some("binlog_format = STATEMENT");
        assert_eq!(refused(&[statement, log]), setting);
        assert_eq!(refused(&[statement, log, ("sql_log_bin", "ON")]), setting);
        assert_eq!(refused(&[statement, log, ("sql_log_bin", "OFF")]), None);
        assert_eq!(refused(&[statement, ("log_bin", "OFF")]), None);
        assert_eq!(refused(&[log]), None);
    }
}
