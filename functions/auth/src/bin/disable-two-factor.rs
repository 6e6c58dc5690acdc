fn main() -> std::process::ExitCode {
    auth::disable_two_factor::main()
}
