//! The session of the query path as a source of catalog rows.

use mantissa_query::{SessionInfo, SessionView, SettingView};

use super::session::{BackendFacts, CursorFacts, PreparedFacts, SessionSource, SettingFacts, UserFacts};

impl SessionSource for SessionView {
    fn databases(&self) -> Vec<String> {
        self.databases.to_vec()
    }

    fn users(&self) -> Vec<UserFacts> {
        self.users.iter().map(|user| UserFacts { name: user.name.clone(), superuser: user.superuser }).collect()
    }

    fn settings(&self) -> Vec<SettingFacts> {
        SessionView::settings(self).iter().map(SettingFacts::from).collect()
    }

    fn backends(&self) -> Vec<BackendFacts> {
        self.sessions().into_iter().map(BackendFacts::from).collect()
    }

    fn prepared_statements(&self) -> Vec<PreparedFacts> {
        let facts = self.prepared.iter().map(|prepared| PreparedFacts {
            name: prepared.name.clone(),
            statement: prepared.statement.clone(),
            prepared_at: prepared.prepared_at,
            parameter_types: prepared.parameter_types.clone(),
            from_sql: prepared.from_sql,
        });
        facts.collect()
    }

    fn cursors(&self) -> Vec<CursorFacts> {
        let facts = self.cursors.iter().map(|cursor| CursorFacts {
            name: cursor.name.clone(),
            statement: cursor.statement.clone(),
            holdable: cursor.holdable,
            binary: cursor.binary,
            scrollable: cursor.scrollable,
            created_at: cursor.created_at,
        });
        facts.collect()
    }
}

impl From<&SettingView> for SettingFacts {
    fn from(setting: &SettingView) -> Self {
        let owned = |text: Option<&'static str>| text.map(str::to_owned);
        Self {
            name: setting.name.clone(),
            setting: setting.setting.clone(),
            default: setting.default.clone(),
            unit: owned(setting.unit),
            category: setting.category.to_owned(),
            context: setting.context.to_owned(),
            vartype: setting.vartype.to_owned(),
            min: owned(setting.min),
            max: owned(setting.max),
            enum_values: setting.enum_values.map(|list| list.split(',').map(str::to_owned).collect()),
        }
    }
}

impl From<SessionInfo> for BackendFacts {
    fn from(session: SessionInfo) -> Self {
        Self {
            pid: session.pid,
            user: session.user,
            database: session.database,
            application_name: session.application_name,
            client_addr: session.client_addr,
            client_port: session.client_port,
            backend_start: session.backend_start,
            transaction_start: session.transaction_start,
            query_start: session.query_start,
            state_change: session.state_change,
            state: session.state.to_owned(),
            query: session.query,
        }
    }
}
