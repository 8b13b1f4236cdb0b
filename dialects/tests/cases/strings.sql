select 'it''s', E'a\nb\'c', $$dollar 'quoted'$$, $t$a $$ b$t$, U&'d\0061ta', N'x';
select 'two quotes: ''''', 'backslash: \''' , E'\\''';
select 'a'
  'b';
select 'drop table x; -- /*' as "select", "a""b" from t;
