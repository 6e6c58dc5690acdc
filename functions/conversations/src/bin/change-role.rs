fn main() -> std::process::ExitCode {
    conversations::change_role::main()
}
