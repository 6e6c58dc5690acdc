fn main() -> std::process::ExitCode {
    auth::get_jwks::main()
}
