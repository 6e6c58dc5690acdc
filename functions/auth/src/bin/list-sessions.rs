fn main() -> std::process::ExitCode {
    auth::list_sessions::main()
}
