fn main() -> std::process::ExitCode {
    users::search_users::main()
}
