//! The system views, as SELECTs over other relations.

macro_rules! views {
    ($($schema:literal: $($name:literal)*;)*) => {
        /// Schema, name and SELECT of each view. A system view that is not listed has no rows, or rows made by `session`.
        pub(super) const VIEWS: &[(&str, &str, &str)] =
            &[$($(($schema, $name, include_str!(concat!("../../views/", $schema, "/", $name, ".sql"))),)*)*];
    };
}

views! {
    "pg_catalog":
        "pg_available_extension_versions" "pg_available_extensions" "pg_group" "pg_indexes" "pg_matviews"
        "pg_policies" "pg_publication_tables" "pg_roles" "pg_rules" "pg_sequences" "pg_shadow"
        "pg_stat_all_indexes" "pg_stat_all_tables" "pg_stat_database" "pg_stat_database_conflicts"
        "pg_stat_gssapi" "pg_stat_ssl" "pg_stat_sys_indexes" "pg_stat_sys_tables" "pg_stat_user_indexes"
        "pg_stat_user_tables" "pg_statio_all_indexes" "pg_statio_all_tables" "pg_statio_sys_indexes"
        "pg_statio_sys_tables" "pg_statio_user_indexes" "pg_statio_user_tables" "pg_tables" "pg_user"
        "pg_user_mappings" "pg_views";
    "information_schema":
        "administrable_role_authorizations" "applicable_roles" "character_sets" "check_constraints"
        "collation_character_set_applicability" "collations" "column_domain_usage" "column_privileges"
        "column_udt_usage" "columns" "constraint_column_usage" "constraint_table_usage" "data_type_privileges"
        "domain_constraints" "domain_udt_usage" "domains" "element_types" "enabled_roles"
        "information_schema_catalog_name" "key_column_usage" "parameters" "referential_constraints"
        "role_column_grants" "role_routine_grants" "role_table_grants" "role_udt_grants" "role_usage_grants"
        "routine_privileges" "routines" "schemata" "sequences" "table_constraints" "table_privileges" "tables"
        "udt_privileges" "usage_privileges" "view_column_usage" "view_table_usage" "views";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::VIEWS;
    use crate::data::Snapshot;

    #[test]
    fn every_file_is_a_listed_view_of_postgresql() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("views");
        let mut files = BTreeSet::new();
        for schema in ["pg_catalog", "information_schema"] {
            for file in std::fs::read_dir(folder.join(schema)).unwrap() {
                let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
                files.insert((schema.to_owned(), name));
            }
        }
        let listed: BTreeSet<_> =
            VIEWS.iter().map(|(schema, name, _)| ((*schema).to_owned(), (*name).to_owned())).collect();
        assert_eq!(files, listed);
        let snapshot = Snapshot::get().unwrap();
        assert!(listed.iter().all(|(schema, name)| snapshot.shape(schema, name).is_some()));
    }
}
