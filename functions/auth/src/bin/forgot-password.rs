fn main() -> std::process::ExitCode {
    auth::forgot_password::main()
}
