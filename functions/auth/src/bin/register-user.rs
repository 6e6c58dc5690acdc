fn main() -> std::process::ExitCode {
    auth::register_user::main()
}
