fn main() -> std::process::ExitCode {
    auth::refresh_session::main()
}
