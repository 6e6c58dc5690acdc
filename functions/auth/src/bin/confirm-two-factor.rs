fn main() -> std::process::ExitCode {
    auth::confirm_two_factor::main()
}
